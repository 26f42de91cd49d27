package org.litestream4j.spring;

import java.io.Serial;

/** Thrown if a setting is invalid. Names the setting, the problem and the remedy. */
public final class LitestreamSettingException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String remedy;

    public LitestreamSettingException(String problem, String remedy) {
        super(problem);
        this.remedy = remedy;
    }

    /** Returns what to change. */
    public String remedy() {
        return remedy;
    }
}
