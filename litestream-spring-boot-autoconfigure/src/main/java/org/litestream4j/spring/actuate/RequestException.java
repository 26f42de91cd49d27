package org.litestream4j.spring.actuate;

import java.io.Serial;

/** A request that is answered with an HTTP status and a text that says why. */
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

    /** A value of the request as an answer repeats it: not longer than a person reads. */
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
