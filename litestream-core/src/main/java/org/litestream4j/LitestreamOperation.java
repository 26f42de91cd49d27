package org.litestream4j;

import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;

/**
 * Something that the engine does and that takes time; told to each {@link LitestreamListener} when it begins.
 *
 * @param database name of the database
 * @param level of the file that is written, for {@link Kind#UPLOAD} and {@link Kind#COMPACTION}; else {@link #NO_LEVEL}
 */
public record LitestreamOperation(Kind kind, String database, int level) {

    public static final int NO_LEVEL = -1;

    /** What is done. */
    public enum Kind {
        /** Committed changes are captured. */
        SYNC,
        /** A file that was captured, or a snapshot, goes to the replica. */
        UPLOAD,
        /** Files of the replica are merged into one of a higher level. */
        COMPACTION,
        /** The database is restored: before its start, in place, or to another file. */
        RESTORE,
        /** A commit or a caller waits until what was committed is on the replica; on its own thread. */
        COMMIT_WAIT
    }

    /** Told how it ends, on the thread that it began on. */
    @FunctionalInterface
    public interface End {

        void onEnd(Outcome outcome);
    }

    /**
     * How it ended.
     *
     * @param txid newest transaction that it was about; {@link Txid#NONE} if that is not known
     * @param bytes that were uploaded, or read by a restore; else 0
     * @param error null if it succeeded
     */
    public record Outcome(Txid txid, long bytes, @Nullable Throwable error) {

        /** Nothing was there to do. */
        public static final Outcome NOTHING = new Outcome(Txid.NONE, 0, null);

        /**
         * A file was written, or none was.
         *
         * @param file that was written; null if none was
         */
        public static Outcome of(@Nullable LtxFileInfo file) {
            return file == null ? NOTHING : succeeded(file.maxTxid(), file.size());
        }

        /**
         * It succeeded.
         *
         * @param bytes that were uploaded, or read by a restore
         */
        public static Outcome succeeded(Txid txid, long bytes) {
            return new Outcome(txid, bytes, null);
        }
    }
}
