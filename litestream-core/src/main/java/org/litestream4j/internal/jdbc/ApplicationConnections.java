package org.litestream4j.internal.jdbc;

import java.time.Duration;
import javax.sql.DataSource;
import org.litestream4j.internal.capture.CaptureListener;

/**
 * The application's connections to one replicated database: wraps its {@code DataSource}, holds connections back while
 * the database is replaced, and waits for them to close. Thread-safe.
 */
public final class ApplicationConnections {

    private final CommitHooks hooks;
    private final PhysicalConnections open = new PhysicalConnections();
    private final ConnectionGate gate = new ConnectionGate();
    private final WriteQueue writeQueue = new WriteQueue();
    private final EngineWriteLock engineWriteLock;

    /** @param next receives the same calls as {@link #captureListener} */
    public ApplicationConnections(CommitHooks hooks, CaptureListener next) {
        this.hooks = hooks;
        this.engineWriteLock = new EngineWriteLock(next);
    }

    /** Returns the DataSource that replaces the one that opens physical connections to this database. */
    public DataSource wrap(DataSource physical, CommitHooks.Policy policy) {
        return new LitestreamDataSource(physical, this, policy);
    }

    /** Returns the listener for the times in which the engine holds SQLite's write lock; writers wait for their end. */
    public CaptureListener captureListener() {
        return engineWriteLock;
    }

    /** Registers the database, so that connections to other databases that attach it report their commits to its engine, too. */
    public void register() {
        RegisteredDatabases.add(this);
    }

    /** Reverts {@link #register}. */
    public void unregister() {
        RegisteredDatabases.remove(this);
    }

    /**
     * Holds connections back between two transactions until {@link #admit}.
     *
     * @param limit time after which they are admitted in any case
     */
    public void holdBack(Duration limit) {
        gate.shut(limit);
    }

    /** Admits connections again. */
    public void admit() {
        gate.open();
    }

    /** Returns whether connections are held back now. */
    public boolean isHeldBack() {
        return gate.isShut();
    }

    /** Waits until all connections are closed, then closes those that are still open. */
    public void drain(Duration timeout) {
        open.drain(timeout);
    }

    /** Returns the number of open connections. */
    public int count() {
        return open.count();
    }

    CommitHooks hooks() {
        return hooks;
    }

    PhysicalConnections open() {
        return open;
    }

    ConnectionGate gate() {
        return gate;
    }

    WriteQueue writeQueue() {
        return writeQueue;
    }

    EngineWriteLock engineWriteLock() {
        return engineWriteLock;
    }
}
