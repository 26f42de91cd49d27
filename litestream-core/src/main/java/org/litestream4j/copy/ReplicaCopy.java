package org.litestream4j.copy;

import java.io.IOException;
import java.time.Duration;
import org.litestream4j.replica.ReplicaClient;

/**
 * Copies a replica to another store, of the same or another kind. Names, content, timestamps and database checksums are
 * kept; each file is verified while it is read. Files that the target has are not copied again, so that an interrupted
 * copy continues where it ended.
 *
 * <p>Files become visible in the order of their transactions, a full image before its increments. From the first image on,
 * the target can be restored at any moment during the copy.
 *
 * <p>A target belongs to one source: a target with other files is refused. No program may replicate to it.
 *
 * <pre>{@code
 * try (ReplicaClient source = Replicas.open(ReplicaLocation.of("file:///var/backups/app"));
 *         ReplicaClient target = Replicas.open(ReplicaLocation.of("s3://offsite/app"))) {
 *     ReplicaCopy.copy(source, target, CopyOptions.defaults());
 * }
 * }</pre>
 */
public final class ReplicaCopy {

    private ReplicaCopy() {}

    /**
     * Copies the files that the target lacks.
     *
     * @throws CopyException if the target has files of another replica
     * @throws org.litestream4j.restore.RestoreException if the source cannot restore its newest state, or the state at
     *     {@link CopyOptions#since}
     * @throws org.litestream4j.replica.ReplicaAccessException if a store denies access
     * @throws org.litestream4j.replica.StopSignal.StoppedException if the copy was cancelled
     * @throws IOException if a store cannot be reached
     */
    public static CopyResult copy(ReplicaClient source, ReplicaClient target, CopyOptions options) throws IOException {
        return new CopyRun(source, target, options).run();
    }

    /**
     * Copies again and again, until cancelled. Between two copies, one listing of level 0 shows whether there are new
     * files. Failures are reported to the listener and repeated, except those that remain until the operator acts.
     *
     * @param interval time between two copies, at least 100 ms
     * @throws CopyException if the target has files of another replica
     * @throws org.litestream4j.replica.ReplicaAccessException if a store denies access at the first copy
     * @throws org.litestream4j.restore.RestoreException if the source cannot restore its newest state at the first copy
     */
    public static void follow(ReplicaClient source, ReplicaClient target, CopyOptions options, Duration interval)
            throws IOException {
        if (interval.compareTo(Duration.ofMillis(100)) < 0) {
            throw new IllegalArgumentException("interval must be at least 100 ms: " + interval);
        }
        new CopyFollower(source, target, options, interval).run();
    }
}
