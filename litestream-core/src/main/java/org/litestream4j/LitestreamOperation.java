package org.litestream4j;

import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;

/**
 * Operation of the engine that takes time. Reported to each {@link LitestreamListener} when it starts.
 *
 * @param kind kind of the operation
 * @param database name of the database
 * @param level level of the file written by {@link Kind#UPLOAD} and {@link Kind#COMPACTION}; {@link #NO_LEVEL} for
 *     other kinds
 */
public record LitestreamOperation(Kind kind, String database, int level) {

    public static final int NO_LEVEL = -1;

    /** Kinds of operations. */
    public enum Kind {
        /** Committed changes are captured. */
        SYNC,
        /** A captured file or a snapshot is uploaded to the replica. */
        UPLOAD,
        /** Files of the replica are merged into one file of a higher level. */
        COMPACTION,
        /** The database is restored: before its start, in place, or to another file. */
        RESTORE,
        /** A commit or a caller waits until its changes are on the replica. Runs on the waiting thread. */
        COMMIT_WAIT
    }

    /** Callback for the end of an operation. Called on the thread on which the operation started. */
    @FunctionalInterface
    public interface End {

        void onEnd(Outcome outcome);
    }

    /**
     * Outcome of an operation.
     *
     * @param txid newest transaction affected by the operation; {@link Txid#NONE} if unknown
     * @param bytes bytes uploaded, or bytes read by a restore; 0 for other kinds
     * @param error the failure; null if the operation succeeded
     */
    public record Outcome(Txid txid, long bytes, @Nullable Throwable error) {

        /** The operation found no work. */
        public static final Outcome NOTHING = new Outcome(Txid.NONE, 0, null);

        /**
         * Returns the outcome of an operation that writes at most one file.
         *
         * @param file the file that was written; null if none was written
         */
        public static Outcome of(@Nullable LtxFileInfo file) {
            return file == null ? NOTHING : succeeded(file.maxTxid(), file.size());
        }

        /**
         * Returns the outcome of a successful operation.
         *
         * @param bytes bytes uploaded, or bytes read by a restore
         */
        public static Outcome succeeded(Txid txid, long bytes) {
            return new Outcome(txid, bytes, null);
        }
    }
}
