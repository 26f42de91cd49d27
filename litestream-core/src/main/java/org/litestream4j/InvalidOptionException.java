package org.litestream4j;

/** Thrown if an option of a {@link DatabaseConfig} has a value that is not allowed. */
public final class InvalidOptionException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    private final String option;
    private final String value;
    private final String allowed;

    /**
     * @param option name of the option, as in {@link DatabaseConfig.Builder}
     * @param value the value as given; control characters are removed
     * @param allowed the allowed values, to complete the sentence "must be …"
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

    /** Returns the rejected value. */
    public String value() {
        return value;
    }

    /** Returns the allowed values, to complete the sentence "must be …". */
    public String allowed() {
        return allowed;
    }
}
