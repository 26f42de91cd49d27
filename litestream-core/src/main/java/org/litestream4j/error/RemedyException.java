package org.litestream4j.error;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Base class of exceptions that name the subject, the problem and the remedy. The subject is a database or a replica,
 * without secrets. The message contains all three.
 */
public abstract class RemedyException extends IOException {

    private static final long serialVersionUID = 1L;

    private final String subject;
    private final String problem;
    private final String remedy;

    /**
     * @param subject path or name of a database, or address of a replica
     * @param problem what is wrong
     * @param remedy what the reader can do about it, with options as in {@link OptionNames}; empty if waiting is sufficient
     */
    protected RemedyException(String subject, String problem, String remedy, @Nullable Throwable cause) {
        super(message(subject, problem, OptionNames.PLAIN.in(remedy)), cause);
        this.subject = subject;
        this.problem = problem;
        this.remedy = remedy;
    }

    private static String message(String subject, String problem, String remedy) {
        return subject + ": " + problem + (remedy.isEmpty() ? "" : "; " + remedy);
    }

    /** Returns the message with the options named in the way of a front end. */
    public final String message(OptionNames names) {
        return message(subject, problem, remedy(names));
    }

    /** Returns what is wrong: the message without subject and remedy. */
    public final String problem() {
        return problem;
    }

    /** Returns what the reader can do about it; empty if waiting is sufficient. */
    public final String remedy() {
        return remedy(OptionNames.PLAIN);
    }

    /** Returns the remedy with the options named in the way of a front end. */
    public final String remedy(OptionNames names) {
        return names.in(remedy);
    }

    /** Returns the subject, under the name that the subclass gives it. */
    protected final String subject() {
        return subject;
    }
}
