package org.litestream4j.spring.actuate;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.InPlaceRestoreResult;
import org.litestream4j.restore.RestoreResult;

/**
 * One restore in the responses of the endpoint.
 *
 * @param wanted requested state
 * @param target file name in the restore folder; null for a restore in place
 * @param startedAt start of the restore, ISO 8601
 * @param endedAt end of the restore, ISO 8601; null while it runs
 * @param phase current or last phase
 * @param bytes bytes of LTX files read
 * @param bytesPerSecond average rate
 * @param estimatedEnd estimated end of reading, ISO 8601; null if unknown
 * @param result result; null unless the restore succeeded
 * @param error error, with its remedy; null unless the restore failed
 */
record RestoreDescription(
        String id,
        String database,
        State state,
        String wanted,
        boolean inPlace,
        @Nullable String target,
        String startedAt,
        @Nullable String endedAt,
        Phase phase,
        long bytes,
        long totalBytes,
        long pages,
        long totalPages,
        int files,
        int totalFiles,
        long bytesPerSecond,
        @Nullable String estimatedEnd,
        @Nullable Result result,
        @Nullable String error) {

    /** States of a restore. */
    enum State {
        RUNNING,
        SUCCEEDED,
        FAILED,
        CANCELLED
    }

    /** Phases of a restore, in order. */
    enum Phase {
        /** Waiting until all changes are on the replica; only for a restore in place. */
        SYNCING,
        PLANNING,
        READING,
        CHECKING,
        PUBLISHING,
        /** Copying into the database, in one transaction; only for a restore in place. */
        COPYING,
        DONE
    }

    /**
     * Result of a restore.
     *
     * @param txid TXID of the restored state, 16 hexadecimal digits
     * @param time time of the restored state, ISO 8601
     * @param pages size of the database in pages
     * @param pageSize page size in bytes
     * @param before last transaction before a restore in place; restoring it undoes the restore
     * @param after transaction that contains the restored state, for a restore in place
     * @param replicated whether that transaction is already on the replica
     * @param movedAside new names of files that were in the way
     */
    record Result(
            String txid,
            String time,
            long pages,
            int pageSize,
            Duration elapsed,
            @Nullable String before,
            @Nullable String after,
            @Nullable Boolean replicated,
            List<String> movedAside) {

        static Result of(RestoreResult result) {
            return new Result(
                    result.txid().toString(),
                    result.timestamp().toString(),
                    result.pages(),
                    result.pageSize(),
                    result.elapsed(),
                    null,
                    null,
                    null,
                    result.movedAside().stream()
                            .map(path -> path.getFileName().toString())
                            .toList());
        }

        static Result of(InPlaceRestoreResult result) {
            return new Result(
                    result.restored().txid().toString(),
                    result.restored().timestamp().toString(),
                    result.restored().pages(),
                    result.restored().pageSize(),
                    result.restored().elapsed(),
                    result.before().toString(),
                    result.after().toString(),
                    result.replicated(),
                    List.of());
        }
    }
}
