package org.litestream4j.spring.actuate;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.InPlaceRestoreResult;
import org.litestream4j.restore.RestoreResult;

/**
 * One restore in the endpoint's answers.
 *
 * @param wanted state that was asked for
 * @param target file name below the restore folder; null if in place
 * @param startedAt ISO 8601
 * @param endedAt ISO 8601; null while it runs
 * @param phase what it does, or did last
 * @param bytes of LTX files that were read
 * @param bytesPerSecond on the average
 * @param estimatedEnd of reading, ISO 8601; null if nothing is known
 * @param result null unless it succeeded
 * @param error what went wrong and what to do; null unless it failed
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

    /** How it stands. */
    enum State {
        RUNNING,
        SUCCEEDED,
        FAILED,
        CANCELLED
    }

    /** What a restore does, in this order. */
    enum Phase {
        /** Waits until everything is on the replica; in place only. */
        SYNCING,
        PLANNING,
        READING,
        CHECKING,
        PUBLISHING,
        /** Into the database, in one transaction; in place only. */
        COPYING,
        DONE
    }

    /**
     * What was restored.
     *
     * @param txid its state, 16 hex digits
     * @param time of that state, ISO 8601
     * @param pages of the database
     * @param pageSize in bytes
     * @param before in place: the last transaction before; restoring it undoes this restore
     * @param after in place: the transaction that brought the restored state
     * @param replicated in place: whether that is on the replica already
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
