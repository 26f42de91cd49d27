package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Optional;

/**
 * How far a restore is.
 *
 * @param phase what it does now
 * @param bytes of the planned files that were read and decoded
 * @param totalBytes of the planned files; 0 before there is a plan
 * @param pages that are in place in the restored file
 * @param totalPages of the restored file; 0 before that is known
 * @param files that were read and verified whole
 * @param totalFiles of the plan; 0 before there is one
 * @param elapsed since the restore began
 * @param reading since the files of this plan are read; zero before
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

    /** What a restore does, in this order; it returns to planning when planned files have vanished. */
    public enum Phase {
        PLANNING,
        READING,
        /** SQLite's own check, if wanted. */
        CHECKING,
        /** To the disk, and to its final name. */
        PUBLISHING,
        DONE
    }

    public RestoreProgress {
        requireNonNull(phase, "phase");
        requireNonNull(elapsed, "elapsed");
        requireNonNull(reading, "reading");
    }

    /** Bytes read per second, on the average; 0 at first. */
    public long bytesPerSecond() {
        long millis = reading.toMillis();
        return millis == 0 ? 0 : (long) (bytes * 1000.0 / millis);
    }

    /** Estimated time until all files are read; empty while there is nothing to judge by. */
    public Optional<Duration> remaining() {
        long rate = bytesPerSecond();
        return rate == 0 ? Optional.empty() : Optional.of(Duration.ofMillis((totalBytes - bytes) * 1000 / rate));
    }
}
