package org.litestream4j.replica.s3;

/** A text that no message, log or {@code toString} may show. */
record Secret(String value) {

    @Override
    public String toString() {
        return "(secret)";
    }
}
