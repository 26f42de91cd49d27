package org.litestream4j.replica;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Thrown if an operation on a replica fails. Contains the address of the replica, without secrets, the problem and the
 * remedy.
 */
public class ReplicaException extends IOException {

    private static final long serialVersionUID = 1L;

    private final String replica;

    private final String problem;

    private final String remedy;

    /**
     * @param replica address of the replica, without secrets
     * @param problem what happened, naming the file or the setting
     * @param remedy what the reader can do about it; empty if waiting is sufficient
     */
    public ReplicaException(String replica, String problem, String remedy, @Nullable Throwable cause) {
        super(replica + ": " + problem + (remedy.isEmpty() ? "" : "; " + remedy), cause);
        this.replica = replica;
        this.problem = problem;
        this.remedy = remedy;
    }

    public String replica() {
        return replica;
    }

    /** Returns what happened: the message without address and remedy. */
    public String problem() {
        return problem;
    }

    public String remedy() {
        return remedy;
    }
}
