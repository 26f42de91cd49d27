package org.litestream4j.internal.replication;

import org.litestream4j.ltx.Txid;

/**
 * Result of comparing the replica with the local files.
 *
 * @param kind whether the local files continue the replica
 * @param replicaNewest newest transaction of the replica, over all levels; {@link Txid#NONE} if it is empty
 * @param reason reason for messages; empty if the local files continue the replica
 * @param unreachable why no restore reaches {@code replicaNewest}, as far as the names of files show; empty if one does
 */
public record ReplicaComparison(Kind kind, Txid replicaNewest, String reason, String unreachable) {

    /** Relations between local files and replica. */
    public enum Kind {
        /** The replica's newest transaction was written by this database, and all later local files exist and are valid. */
        CONTINUES,
        /**
         * The local files do not continue the replica. They are of no use; a full image after the replica's newest
         * transaction must follow.
         */
        DIVERGED,
        /**
         * As {@link #DIVERGED}, and no local file proves that the replica belongs to this database: the image must wait
         * for another proof.
         */
        UNKNOWN
    }

    /** Returns a verdict that local files after {@code replicaNewest} continue the replica. */
    public static ReplicaComparison continues(Txid replicaNewest) {
        return new ReplicaComparison(Kind.CONTINUES, replicaNewest, "", "");
    }

    /** Returns a verdict that local files do not continue the replica. */
    public static ReplicaComparison diverged(Txid replicaNewest, String reason) {
        return new ReplicaComparison(Kind.DIVERGED, replicaNewest, reason, "");
    }

    /** Returns a verdict that local files do not continue the replica and prove nothing about its content. */
    public static ReplicaComparison unknown(Txid replicaNewest, String reason) {
        return new ReplicaComparison(Kind.UNKNOWN, replicaNewest, reason, "");
    }

    /**
     * Returns this verdict for a replica whose newest transaction no restore reaches: a snapshot must follow. The local
     * files continue the replica as they did.
     */
    public ReplicaComparison unreachable(String problem) {
        return new ReplicaComparison(kind, replicaNewest, reason, problem);
    }

    public boolean diverged() {
        return kind != Kind.CONTINUES;
    }

    /** Returns whether another proof is needed that the replica belongs to this database. */
    public boolean isSharedHistoryOpen() {
        return kind == Kind.UNKNOWN;
    }
}
