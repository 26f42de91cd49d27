package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Optional;

/**
 * Progress of a restore.
 *
 * @param phase current phase
 * @param bytes bytes of the planned files that were read and decoded
 * @param totalBytes bytes of all planned files; 0 before there is a plan
 * @param pages pages in place in the restored file
 * @param totalPages pages of the restored file; 0 until known
 * @param files files that were completely read and verified
 * @param totalFiles files of the plan; 0 before there is a plan
 * @param elapsed time since the start of the restore
 * @param reading time since the start of reading the files of this plan; zero before
 */
public record RestoreProgress(
        Phase phase,
        long bytes,
        long totalBytes,
        long pages,
        long totalPages,
        int files,
        int totalFiles,
        Duration elapsed,
        Duration reading) {

    /** Phases of a restore, in order. A restore returns to planning if planned files have vanished. */
    public enum Phase {
        PLANNING,
        READING,
        /** SQLite's integrity check, if requested. */
        CHECKING,
        /** Forcing the file to the disk and giving it its final name. */
        PUBLISHING,
        DONE
    }

    public RestoreProgress {
        requireNonNull(phase, "phase");
        requireNonNull(elapsed, "elapsed");
        requireNonNull(reading, "reading");
    }

    /** Returns the average number of bytes read per second; 0 at first. */
    public long bytesPerSecond() {
        long millis = reading.toMillis();
        return millis == 0 ? 0 : (long) (bytes * 1000.0 / millis);
    }

    /** Returns the estimated time until all files are read; empty if no estimate is possible yet. */
    public Optional<Duration> remaining() {
        long rate = bytesPerSecond();
        return rate == 0 ? Optional.empty() : Optional.of(Duration.ofMillis((totalBytes - bytes) * 1000 / rate));
    }
}
