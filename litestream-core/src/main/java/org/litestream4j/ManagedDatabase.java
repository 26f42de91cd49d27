package org.litestream4j;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import javax.sql.DataSource;
import org.litestream4j.compaction.CompactionStatus;
import org.litestream4j.compaction.Validation;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestorePoints;
import org.litestream4j.restore.RestoreResult;

/** A database that is replicated. Thread-safe. */
public interface ManagedDatabase {

    String name();

    DatabaseConfig config();

    /** What is known now; no file or network access. */
    DatabaseStatus status();

    /** What was done since the start of the process; no file or network access. */
    EngineStatistics statistics();

    /**
     * Captures everything that is committed now and waits until it is on the replica. An outage is waited out, a refusal is not:
     * of the replica (rights, login, a missing bucket), or of ours to replicate the database as it is.
     *
     * @throws LitestreamException if that cannot be, with the last error, or not in time
     */
    void sync(Duration timeout) throws IOException, InterruptedException;

    /**
     * Waits until everything that is committed now is on the replica. All who come while an upload is going on share the
     * next one, and each waits for at most two. An interrupt ends the wait, and leaves the thread interrupted.
     *
     * @throws ReplicationTimeoutException if that was not in time
     * @throws NotReplicatedException at once, if nothing is being replicated
     */
    void awaitReplicated(Duration timeout);

    /**
     * The same without causing an upload: what is committed goes with the next regular sync, at most a sync interval from now.
     *
     * @throws ReplicationTimeoutException if that was not in time
     * @throws NotReplicatedException at once, if nothing is being replicated
     */
    void awaitNextSync(Duration timeout);

    /**
     * Captures everything that is committed now, and waits until a snapshot that holds it is on the replica; there is none to
     * wait for if nothing changed since the newest.
     *
     * @return the newest snapshot's transaction
     * @throws LitestreamException if that cannot be, with the last error, or not in time
     */
    Txid snapshot(Duration timeout) throws IOException, InterruptedException;

    /**
     * Merges all files of the replica that can be merged, without waiting for their windows, and deletes what is past its
     * retention; waits until that is done.
     *
     * @throws LitestreamException if that cannot be, with the last error, or not in time
     */
    void compact(Duration timeout) throws IOException, InterruptedException;

    /**
     * Checks the replica, on the caller's thread: whether files are missing, and whether the newest state can be restored.
     *
     * @param deep whether to read and check the content of every file, too
     */
    Validation.Result validate(boolean deep) throws IOException;

    /** What is known of the levels and snapshots of the replica; no file or network access. */
    CompactionStatus compaction();

    /** The result of the last validation since the start, scheduled or asked for, if there was any. */
    Optional<Validation.Result> lastValidation();

    /** The result of the last one that read the content of every file, if there was any. */
    Optional<Validation.Result> lastDeepValidation();

    /** When the last validation ended, if there was any. */
    Optional<Instant> lastValidationAt();

    /**
     * Brings the database to another state of its replica while the application runs: restored to a side file first, then
     * copied in within one write transaction. Readers see the old or the new state; connections of the wrapped DataSource are
     * held back between two transactions for that moment. The state before stays restorable.
     *
     * @param options target, check, parallelism, listener, cancelled, clock; the other options do not apply
     * @param timeout longest wait for the replica before and after, for capture to get to it, and for other writers
     * @throws org.litestream4j.restore.RestoreException if the state cannot be restored
     * @throws LitestreamException if the database is not being replicated, has other pages, was kept busy, its disk is full, or
     *     another restore in place is running: nothing was changed then, unless the message says that the state was copied in
     * @throws InterruptedException if nothing was changed and will be. An interrupt that comes later leaves the thread
     *     interrupted, and the result tells that the database was restored
     */
    InPlaceRestoreResult restoreInPlace(RestoreOptions options, Duration timeout)
            throws IOException, InterruptedException;

    /**
     * Restores a state of the replica to another file, on the caller's thread; the database is left alone.
     *
     * @throws IllegalArgumentException if the target is the database itself
     * @throws IOException as {@link Restore#restore}
     */
    RestoreResult restoreTo(Path target, RestoreOptions options) throws IOException;

    /** What the replica holds to restore from; asks it. */
    RestorePoints restorePoints() throws IOException;

    /**
     * Captures everything that is committed now and releases the database, until {@link #resume}: what a change of the journal
     * mode or the page size needs. A snapshot that is being read is given up and taken after the pause. Uploads continue.
     *
     * @param timeout longest wait for the capture to end
     * @throws LitestreamException if it did not; the database is paused as soon as it can be
     */
    void pause(Duration timeout) throws IOException, InterruptedException;

    /**
     * Takes a paused database up again. Capture goes on where it ended if nothing was written meanwhile; else it begins with the
     * whole database.
     */
    void resume();

    /**
     * The DataSource to use in place of one that opens physical connections to this database (below a pool, not around it).
     * It switches the database to WAL, keeps connections from checkpointing by themselves, and captures what they commit.
     * Commits wait for the replica if that is the database's {@link Durability}.
     *
     * @param physical opens connections of the SQLite driver
     */
    DataSource wrap(DataSource physical);

    /**
     * The same with commits that wait as somebody else decides.
     *
     * @param policy asked for statements that are transactions of their own, only if the database's durability is {@link
     *     Durability#REPLICATED}; for all other commits always
     */
    DataSource wrap(DataSource physical, CommitPolicy policy);
}
