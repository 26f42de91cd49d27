package org.litestream4j.restore;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;

/**
 * Brings a database back from its replica.
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
     * Restores a database. Every byte that is used was verified; the file gets its name only when it is whole and on the
     * disk. Nobody may have a database at the target open meanwhile, in this process or another.
     *
     * @param target the database file; folders above it are created, a file of 0 bytes counts as missing
     * @throws RestoreException for all reasons that it lists
     * @throws org.litestream4j.replica.ReplicaAccessException if the replica refuses to be read
     * @throws IOException if the replica cannot be reached, or the disk fails
     */
    public static RestoreResult restore(ReplicaClient replica, Path target, RestoreOptions options) throws IOException {
        return new RestoreJob(replica, target, options).run();
    }

    /**
     * What {@link #restore} would read. Nothing is written and no file is opened.
     * By time, a restore may leave out newest files whose headers say that they are too new.
     *
     * @throws RestoreException if the state cannot be restored
     */
    public static RestorePlan plan(ReplicaClient replica, RestoreOptions options) throws IOException {
        return new Planning(replica, options).next();
    }

    /**
     * Keeps a hot standby: restores the newest state and then applies new files as they appear, until it is cancelled. Each change
     * is one transaction for readers in other processes, under SQLite's file locks; a crash is rolled back by whoever opens the
     * file next, and {@code <target>-txid} lets the next run go on. This process must not have the file open otherwise.
     *
     * <p>A look costs one listing of level 0; see the handbook for when all levels are listed. Page 1 of a standby differs from
     * the primary's: it has rollback mode and a change counter of its own.
     *
     * @param target the standby, as left by an earlier run, or missing; with {@code force}, another file is replaced
     * @param options of the first restore; the target must be the newest state, and {@code cancelled} ends the following
     * @param interval between two looks, at least 1 ms
     * @throws RestoreException if the state cannot be restored, or the target is no standby
     * @throws org.litestream4j.replica.ReplicaAccessException if the replica refuses to be read
     * @throws IOException if the first restore fails; later failures are reported and tried again
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

    /** The states that a replica can restore; empty if there is none. */
    public static Optional<RestorableRange> range(ReplicaClient replica) throws IOException {
        ReplicaListing listing = ReplicaListing.of(replica);
        return RestorePlanner.range(listing.files(), listing);
    }

    /** What a replica holds to restore from: it is listed once. */
    public static RestorePoints points(ReplicaClient replica) throws IOException {
        return RestorePoints.of(ReplicaListing.of(replica));
    }

    /** The newest TXID of a replica, {@link Txid#NONE} if it holds nothing. */
    public static Txid newestTxid(ReplicaClient replica) throws IOException {
        return ReplicaListing.of(replica).newest();
    }
}
