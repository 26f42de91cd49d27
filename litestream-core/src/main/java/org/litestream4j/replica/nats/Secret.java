package org.litestream4j.replica.nats;

import org.jspecify.annotations.Nullable;

/** A text that messages, logs and {@code toString} must not contain. */
record Secret(String value) {

    static @Nullable Secret of(@Nullable String value) {
        return value == null ? null : new Secret(value);
    }

    @Override
    public String toString() {
        return "(secret)";
    }
}
