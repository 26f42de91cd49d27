package org.litestream4j.internal.capture.explore;

/** What must never happen has happened. */
final class Violation extends Exception {

    private static final long serialVersionUID = 1L;

    /** Which promise was broken. */
    enum Kind {
        /** Said to be captured, but restored the database is another. */
        LOST,
        /** A transaction leads to a state that SQLite never counted as committed, or to an earlier one. */
        NEVER_COMMITTED,
        /** Driven on with nothing in the way, capturing or a snapshot fails again and again. */
        STUCK,
        /** A snapshot that says it is as captured is another state. */
        WRONG_SNAPSHOT,
        /** An error that nobody meant to throw. */
        UNEXPECTED
    }

    private final Kind kind;

    Violation(Kind kind, String message) {
        super(kind + ": " + message);
        this.kind = kind;
    }

    Violation(Kind kind, String message, Throwable cause) {
        super(kind + ": " + message, cause);
        this.kind = kind;
    }

    Kind kind() {
        return kind;
    }
}
