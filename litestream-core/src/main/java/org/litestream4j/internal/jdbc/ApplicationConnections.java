package org.litestream4j.internal.jdbc;

import java.time.Duration;
import javax.sql.DataSource;
import org.litestream4j.internal.capture.CaptureListener;

/**
 * The door through which an application reaches one replicated database: wraps its {@code DataSource}, holds its connections
 * back while the database is replaced, and waits for them to close. Thread-safe.
 */
public final class ApplicationConnections {

    private final CommitHooks hooks;
    private final PhysicalConnections open = new PhysicalConnections();
    private final Gate gate = new Gate();
    private final WriteQueue writeQueue = new WriteQueue();
    private final WriteLock writeLock;

    /** @param next told of all that {@link #captureListener} is told of */
    public ApplicationConnections(CommitHooks hooks, CaptureListener next) {
        this.hooks = hooks;
        this.writeLock = new WriteLock(next);
    }

    /** The DataSource to use in place of one that opens physical connections to this database. */
    public DataSource wrap(DataSource physical, CommitHooks.Policy policy) {
        return new LitestreamDataSource(physical, this, policy);
    }

    /** To be told of the moments in which the engine holds SQLite's write lock: writers wait for their end. */
    public CaptureListener captureListener() {
        return writeLock;
    }

    /** From now on connections to other databases that attach this one tell its engine of their commits, too. */
    public void register() {
        RegisteredDatabases.add(this);
    }

    /** Ends what {@link #register} began. */
    public void unregister() {
        RegisteredDatabases.remove(this);
    }

    /**
     * Holds connections back between two transactions until {@link #admit}.
     *
     * @param limit after which they are admitted all the same
     */
    public void holdBack(Duration limit) {
        gate.shut(limit);
    }

    /** Lets connections go on. */
    public void admit() {
        gate.open();
    }

    /** Whether connections are held back now. */
    public boolean isHeldBack() {
        return gate.isShut();
    }

    /** Waits until all connections are closed, then closes those that are not. */
    public void drain(Duration timeout) {
        open.drain(timeout);
    }

    /** Number of connections that are open. */
    public int count() {
        return open.count();
    }

    CommitHooks hooks() {
        return hooks;
    }

    PhysicalConnections open() {
        return open;
    }

    Gate gate() {
        return gate;
    }

    WriteQueue writeQueue() {
        return writeQueue;
    }

    WriteLock writeLock() {
        return writeLock;
    }
}
