package org.litestream4j.replica.s3;

/** A text that messages, logs and {@code toString} must not contain. */
record Secret(String value) {

    @Override
    public String toString() {
        return "(secret)";
    }
}
