package org.litestream4j.cli;

/** Arguments that do not go together, or that mean nothing. */
final class UsageException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    UsageException(IllegalArgumentException cause) {
        super(cause.getMessage(), cause);
    }

    UsageException(String message) {
        super(message);
    }
}
