package org.litestream4j.restore;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileChangedException;
import org.litestream4j.replica.ReplicaFileNotFoundException;

/**
 * Restores a database from its replica.
 *
 * <pre>{@code
 * try (ReplicaClient replica = Replicas.open(ReplicaLocation.of("file:///var/backups/app"))) {
 *     Restore.restore(replica, Path.of("data/app.db"), RestoreOptions.defaults());
 * }
 * }</pre>
 */
public final class Restore {

    private Restore() {}

    /**
     * Restores a database. All data used is verified. The file gets its final name only when it is complete and forced
     * to the disk. No connection of this or another process may have a database at the target open during the restore.
     *
     * @param target path of the database file; missing parent folders are created, and a file of 0 bytes counts as
     *     missing
     * @throws RestoreException for each of its reasons
     * @throws org.litestream4j.replica.ReplicaAccessException if the replica denies read access
     * @throws IOException if the replica cannot be reached, or if the disk fails
     */
    public static RestoreResult restore(ReplicaClient replica, Path target, RestoreOptions options) throws IOException {
        return new RestoreJob(replica, target, options).run();
    }

    /**
     * Returns the files that {@link #restore} would read, without writing or opening any file. For a restore by time,
     * {@link #restore} may omit the newest of these files if their headers show that they are too new.
     *
     * @throws RestoreException if the state cannot be restored
     */
    public static RestorePlan plan(ReplicaClient replica, RestoreOptions options) throws IOException {
        return new Planning(replica, options).next();
    }

    /**
     * Plans as {@link #restore} does, for a reader that uses the files without restoring them. The plan is made again if
     * files have vanished, without files that the reader finds damaged as long as others lead to the same state, and, by
     * time, without those whose headers show that they are too new.
     *
     * @param reader reads the files of a plan
     * @return what the reader returned for the final plan
     * @throws RestoreException if the state cannot be restored
     */
    public static <T> T plan(ReplicaClient replica, RestoreOptions options, PlanUser<T> reader) throws IOException {
        Planning planning = new Planning(replica, options);
        int attempt = 1;
        while (true) {
            RestorePlan plan = planning.next();
            try {
                T result = reader.read(plan);
                planning.requireOldEnough(plan, reader.newest(result));
                return result;
            } catch (Planning.TooNewException e) {
                // the next plan omits that file
            } catch (LtxFormatException e) {
                planning.exclude(e);
            } catch (ReplicaFileNotFoundException | ReplicaFileChangedException e) {
                if (attempt == RestoreJob.MAX_PLANS) {
                    throw e;
                }
                attempt++;
            }
        }
    }

    /** Uses the files of plans. */
    public interface PlanUser<T> {

        /**
         * Reads the files of a plan.
         *
         * @throws LtxFormatException if a file is damaged; its source is {@code <level>/<name>}
         */
        T read(RestorePlan plan) throws IOException;

        /** Returns the header of the newest file that was read. */
        LtxHeader newest(T result);
    }

    /**
     * Maintains a hot standby: restores the newest state, then applies new files as they appear, until cancelled. For
     * readers in other processes, each change is one transaction under SQLite's file locks. A change interrupted by a
     * crash is rolled back by the next connection that opens the file, and {@code <target>-txid} lets the next run
     * continue. The file must not be open elsewhere in this process.
     *
     * <p>A poll costs one listing of level 0; the handbook describes when all levels are listed. Page 1 of a standby
     * differs from the primary's: it contains rollback mode and its own change counter.
     *
     * @param target path of the standby, left by an earlier run, or missing; with {@code force}, any other file is
     *     replaced
     * @param options options of the first restore; the target must be the newest state, and {@code cancelled} ends
     *     the following
     * @param interval time between two polls, at least 1 ms
     * @throws RestoreException if the state cannot be restored, or if the file at the target is not a standby
     * @throws org.litestream4j.replica.ReplicaAccessException if the replica denies read access
     * @throws IOException if the first restore fails; later failures are reported and retried
     * @throws IllegalStateException if this process has the target open
     */
    public static void follow(
            ReplicaClient replica, Path target, RestoreOptions options, Duration interval, FollowListener listener)
            throws IOException {
        if (!(options.target() instanceof RestoreTarget.Latest) || options.local() != null) {
            throw new IllegalArgumentException("only the newest state of a replica can be followed");
        }
        if (interval.compareTo(Duration.ofMillis(1)) < 0) {
            throw new IllegalArgumentException("interval must be at least 1 ms: " + interval);
        }
        new Follower(replica, target, options, interval, listener).run();
    }

    /** Returns the range of states that can be restored from a replica; empty if there is none. */
    public static Optional<RestorableRange> range(ReplicaClient replica) throws IOException {
        ReplicaListing listing = ReplicaListing.of(replica);
        return RestorePlanner.range(listing.files(), listing);
    }

    /** Returns the states that can be restored from a replica. Lists the replica once. */
    public static RestorePoints points(ReplicaClient replica) throws IOException {
        return RestorePoints.of(ReplicaListing.of(replica));
    }

    /** Returns the newest TXID of a replica; {@link Txid#NONE} if the replica is empty. */
    public static Txid newestTxid(ReplicaClient replica) throws IOException {
        return ReplicaListing.of(replica).newest();
    }
}
