package org.litestream4j.ltx;

/**
 * Thrown if a header field has an invalid value. For bytes read from a file, it is converted to an
 * {@link LtxFormatException} for the same field.
 */
final class InvalidFieldException extends IllegalArgumentException {

    private static final long serialVersionUID = 1;

    private final String field;
    private final String detail;

    private InvalidFieldException(String field, String detail) {
        super("LTX header: " + field + ": " + detail);
        this.field = field;
        this.detail = detail;
    }

    static void check(boolean ok, String field, String rule, Object value) {
        if (!ok) {
            throw new InvalidFieldException(field, value + ", must be " + rule);
        }
    }

    String field() {
        return field;
    }

    String detail() {
        return detail;
    }
}
