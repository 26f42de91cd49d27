package org.litestream4j.replica;

import org.jspecify.annotations.Nullable;
import org.litestream4j.error.RemedyException;

/**
 * Thrown if an operation on a replica fails. Contains the address of the replica, without secrets, the problem and the
 * remedy.
 */
public class ReplicaException extends RemedyException {

    private static final long serialVersionUID = 1L;

    /**
     * @param replica address of the replica, without secrets
     * @param problem what happened, naming the file or the setting
     * @param remedy what the reader can do about it; empty if waiting is sufficient
     */
    public ReplicaException(String replica, String problem, String remedy, @Nullable Throwable cause) {
        super(replica, problem, remedy, cause);
    }

    public String replica() {
        return subject();
    }
}
