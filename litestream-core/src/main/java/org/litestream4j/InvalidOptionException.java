package org.litestream4j;

/** An option of a {@link DatabaseConfig} has a value that is not allowed. */
public final class InvalidOptionException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    private final String option;
    private final String value;
    private final String allowed;

    /**
     * Names the option as {@link DatabaseConfig.Builder} does.
     *
     * @param value as it was given, without control characters
     * @param allowed completes the sentence "must be …"
     */
    public InvalidOptionException(String option, String value, String allowed) {
        super("database option " + option + " = " + value + ": must be " + allowed);
        this.option = option;
        this.value = value;
        this.allowed = allowed;
    }

    /** Returns the name of the option, as in {@link DatabaseConfig.Builder}. */
    public String option() {
        return option;
    }

    /** Returns the value that is not allowed. */
    public String value() {
        return value;
    }

    /** Returns the allowed values, to complete the sentence "must be …". */
    public String allowed() {
        return allowed;
    }
}
