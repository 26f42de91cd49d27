package org.litestream4j.cli;

/** Thrown if arguments are invalid or contradict each other. */
final class UsageException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    UsageException(IllegalArgumentException cause) {
        super(cause.getMessage(), cause);
    }

    UsageException(String message) {
        super(message);
    }
}
