package org.litestream4j;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.litestream4j.compaction.CompactionStatus;
import org.litestream4j.compaction.Validation;
import org.litestream4j.drill.DrillOptions;
import org.litestream4j.drill.DrillReport;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.Mark;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestorePoints;
import org.litestream4j.restore.RestoreResult;
import org.litestream4j.restore.RestoreTarget;

/** A replicated database. Thread-safe. */
public interface ManagedDatabase {

    String name();

    DatabaseConfig config();

    /** Returns the current status, without file or network access. */
    DatabaseStatus status();

    /** Returns the counters since the start of the process, without file or network access. */
    EngineStatistics statistics();

    /**
     * Captures everything that is committed now and waits until it is on the replica. Outages are retried until the
     * timeout. The call fails at once if the replica denies access (permissions, credentials, a missing bucket), or if
     * the database cannot be replicated in its present state.
     *
     * @param timeout longest wait
     * @throws LitestreamException if replication is not possible, or not within the timeout; contains the last
     *     error
     */
    void sync(Duration timeout) throws IOException, InterruptedException;

    /**
     * Waits until everything that is committed now is on the replica. Threads that call this during an upload share the
     * next upload; each waits for at most two uploads. An interrupt ends the wait and leaves the interrupt status of
     * the thread set.
     *
     * @param timeout longest wait
     * @throws ReplicationTimeoutException if the timeout has passed
     * @throws NotReplicatedException at once, if the database is not being replicated, or if the thread is
     *     interrupted
     */
    void awaitReplicated(Duration timeout);

    /**
     * Waits as {@link #awaitReplicated} does, but does not start an upload. The changes are uploaded by the next
     * regular sync, at most one sync interval from now.
     *
     * @param timeout longest wait
     * @throws ReplicationTimeoutException if the timeout has passed
     * @throws NotReplicatedException at once, if the database is not being replicated, or if the thread is
     *     interrupted
     */
    void awaitNextSync(Duration timeout);

    /**
     * Captures everything that is committed now and waits until a snapshot that contains it is on the replica. Returns
     * at once if nothing has changed since the newest snapshot.
     *
     * @param timeout longest wait
     * @return last transaction in the newest snapshot
     * @throws LitestreamException if the snapshot is not possible, or not within the timeout; contains the last
     *     error
     */
    Txid snapshot(Duration timeout) throws IOException, InterruptedException;

    /**
     * Merges all files of the replica that can be merged, without waiting for the intervals of their levels, and
     * deletes files past their retention. Waits until that is done.
     *
     * @param timeout longest wait
     * @throws LitestreamException if that is not possible, or not within the timeout; contains the last error
     */
    void compact(Duration timeout) throws IOException, InterruptedException;

    /**
     * Checks, on the calling thread, whether files are missing on the replica and whether the newest state can be
     * restored.
     *
     * @param deep whether to read and check the content of every file, too
     */
    Validation.Result validate(boolean deep) throws IOException;

    /** Returns the known levels and snapshots of the replica, without file or network access. */
    CompactionStatus compaction();

    /** Returns the result of the last validation since the start, scheduled or on request; empty if there was none. */
    Optional<Validation.Result> lastValidation();

    /** Returns the result of the last validation that read the content of every file; empty if there was none. */
    Optional<Validation.Result> lastDeepValidation();

    /** Returns the time at which the last validation ended; empty if there was none. */
    Optional<Instant> lastValidationAt();

    /**
     * Restores the database to another state of its replica while the application runs. The state is first restored to
     * a temporary file, then copied into the database within one write transaction. Readers see either the old or the
     * new state. Connections of the wrapped DataSource are held back between two transactions during the copy. The
     * previous state remains restorable.
     *
     * @param options target, integrity check, parallelism, listener, cancellation and clock; the other options are
     *     ignored
     * @param timeout longest duration of each of three waits: for the replication of the current state; for capture
     *     and other writers before the copy; for the replication of the restored state
     * @throws org.litestream4j.restore.RestoreException if the state cannot be restored
     * @throws LitestreamException if the database is not being replicated, has another page size, or was kept busy,
     *     if its disk is full, or if another restore in place is running; the database is unchanged unless the message
     *     says that the state was copied in
     * @throws InterruptedException if the thread was interrupted before the database was changed; the database
     *     stays unchanged. A later interrupt leaves the interrupt status set, and the result reports the restore
     */
    InPlaceRestoreResult restoreInPlace(RestoreOptions options, Duration timeout)
            throws IOException, InterruptedException;

    /**
     * Restores a state of the replica to another file, on the calling thread. The database is not affected.
     *
     * @throws IllegalArgumentException if the target is the database itself
     * @throws IOException as {@link Restore#restore}
     */
    RestoreResult restoreTo(Path target, RestoreOptions options) throws IOException;

    /** Lists the states that can be restored from the replica. Requires access to the replica. */
    RestorePoints restorePoints() throws IOException;

    /**
     * Sets a mark on a state: while the mark exists, retention keeps the files that restore this state. With {@link
     * RestoreTarget#latest()}, everything that is committed now is captured and uploaded first.
     *
     * @param name {@link Mark#ALLOWED_NAMES}
     * @param target state to mark
     * @param keepFor time after which the mark expires; null if it does not expire
     * @param timeout longest wait for the upload
     * @return the mark, which names the transaction that a restore reaches
     * @throws org.litestream4j.restore.RestoreException if the state cannot be restored, or if a mark of this name
     *     exists
     * @throws LitestreamException if the upload is not possible, or not within the timeout
     * @throws IllegalArgumentException if the name or the time is not allowed
     */
    Mark mark(String name, RestoreTarget target, @Nullable Duration keepFor, Duration timeout)
            throws IOException, InterruptedException;

    /** Lists the marks of the replica, ordered by name, with one request for the listing and one for each mark. */
    List<Mark> marks() throws IOException;

    /**
     * Removes a mark from the replica. The files that it kept are deleted by the next runs of retention.
     *
     * @return whether there was such a mark
     */
    boolean removeMark(String name) throws IOException;

    /**
     * Runs a restore drill on the calling thread: restores the newest and a past state from the replica alone, with a
     * client of its own, checks that the newest restorable state is not older than the replicated position, and deletes
     * what it restored. Ends early when the database is closed. Replication is not affected. The report is also an event.
     *
     * @param options options of the drill; the name of the database is that of this database, and checks that do not
     *     apply to it are omitted
     */
    DrillReport drill(DrillOptions options);

    /**
     * Captures everything that is committed now and releases the database until {@link #resume}. Required for a change
     * of the journal mode or the page size. A snapshot in progress is cancelled and repeated after the pause. Uploads
     * continue.
     *
     * @param timeout longest wait for the capture to end
     * @throws LitestreamException if the capture did not end within the timeout; the database is then paused as
     *     soon as possible
     */
    void pause(Duration timeout) throws IOException, InterruptedException;

    /**
     * Resumes the replication of a paused database. If nothing was written during the pause, capture continues from its
     * last position. Otherwise, it starts with a full image of the database.
     */
    void resume();

    /**
     * Returns a DataSource that replaces the one that opens physical connections to this database (below a connection
     * pool, not around it). It switches the database to WAL mode, keeps connections from running checkpoints of their
     * own, and captures their commits. Commits wait for the replica if the {@link Durability} of the database requires
     * it.
     *
     * @param physical DataSource that opens connections of the SQLite driver
     */
    DataSource wrap(DataSource physical);

    /**
     * Returns a DataSource as {@link #wrap(DataSource)} does, with a policy that decides which commits wait for the
     * replica.
     *
     * @param policy called for every commit of an explicit transaction; for statements that are their own
     *     transaction, only if the durability of the database is {@link Durability#REPLICATED}
     */
    DataSource wrap(DataSource physical, CommitPolicy policy);
}
