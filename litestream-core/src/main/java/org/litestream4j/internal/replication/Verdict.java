package org.litestream4j.internal.replication;

import org.litestream4j.ltx.Txid;

/**
 * What a look at the replica says about the local files.
 *
 * @param kind whether they lead on from what the replica holds
 * @param replicaNewest the newest transaction of the replica over all levels; {@link Txid#NONE} if it is empty
 * @param reason for messages; empty if they do
 */
public record Verdict(Kind kind, Txid replicaNewest, String reason) {

    /** How local files and replica belong together. */
    public enum Kind {
        /** The replica's newest transaction is ours, and every local file after it is here and valid. */
        CONTINUES,
        /** Not so: the local files are of no use, an image after the replica's newest transaction must follow. */
        DIVERGED,
        /** The same, and nothing local shows that the replica is this database's: the image must wait for another proof. */
        UNKNOWN
    }

    /** Local files after {@code replicaNewest} lead on. */
    public static Verdict continues(Txid replicaNewest) {
        return new Verdict(Kind.CONTINUES, replicaNewest, "");
    }

    /** Local files are of no use. */
    public static Verdict diverged(Txid replicaNewest, String reason) {
        return new Verdict(Kind.DIVERGED, replicaNewest, reason);
    }

    /** Local files are of no use, and know nothing of what the replica holds. */
    public static Verdict unknown(Txid replicaNewest, String reason) {
        return new Verdict(Kind.UNKNOWN, replicaNewest, reason);
    }

    public boolean diverged() {
        return kind != Kind.CONTINUES;
    }

    /** Whether it must be shown by other means that the replica is this database's. */
    public boolean isKinshipOpen() {
        return kind == Kind.UNKNOWN;
    }
}
