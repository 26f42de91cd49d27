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

    private final int status;

    RequestException(int status, String problem) {
        super(problem);
        this.status = status;
    }

    static RequestException badRequest(String problem) {
        return new RequestException(BAD_REQUEST, problem);
    }

    int status() {
        return status;
    }
}
