package org.litestream4j.replica.nats;

import org.jspecify.annotations.Nullable;

/** A text that no message, log or {@code toString} may show. */
record Secret(String value) {

    static @Nullable Secret of(@Nullable String value) {
        return value == null ? null : new Secret(value);
    }

    @Override
    public String toString() {
        return "(secret)";
    }
}
