package org.litestream4j.spring;

import java.io.Serial;

/** A setting that cannot be meant: which, what is wrong with it, and what to write instead. */
public final class LitestreamSettingException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String remedy;

    LitestreamSettingException(String problem, String remedy) {
        super(problem);
        this.remedy = remedy;
    }

    /** What to change. */
    public String remedy() {
        return remedy;
    }
}
