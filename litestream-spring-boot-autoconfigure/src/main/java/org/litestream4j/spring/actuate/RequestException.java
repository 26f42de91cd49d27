package org.litestream4j.spring.actuate;

import java.io.Serial;

/** Thrown for a request that is answered with an HTTP status and an explanation. */
final class RequestException extends RuntimeException {

    static final int BAD_REQUEST = 400;
    static final int NOT_FOUND = 404;
    static final int CONFLICT = 409;
    static final int SERVICE_UNAVAILABLE = 503;

    @Serial
    private static final long serialVersionUID = 1L;

    private static final int LONGEST_ECHO = 150;

    private final int status;

    RequestException(int status, String problem) {
        super(problem);
        this.status = status;
    }

    static RequestException badRequest(String problem) {
        return new RequestException(BAD_REQUEST, problem);
    }

    /** Returns a value of the request for the response, truncated to a readable length. */
    static String echo(Object value) {
        String text = value.toString();
        if (text.length() <= LONGEST_ECHO) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(LONGEST_ECHO - 1)) ? LONGEST_ECHO - 1 : LONGEST_ECHO;
        return text.substring(0, end) + "… (" + text.length() + " characters)";
    }

    int status() {
        return status;
    }
}
