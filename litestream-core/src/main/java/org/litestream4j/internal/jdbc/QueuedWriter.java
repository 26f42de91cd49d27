package org.litestream4j.internal.jdbc;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConnection;

/**
 * The transactions of one connection in the queue of writers. A turn begins before SQLite is asked for the write lock,
 * and ends with the transaction. Used by one thread at a time.
 */
final class QueuedWriter {

    private final WriteQueue queue;
    private final EngineWriteLock engine;
    private final SQLiteConnection sqlite;

    /** Whether a transaction is open that was not begun by JDBC calls. */
    private boolean begunByStatement;

    /**
     * Whether the transaction has read: waiting for another writer would make its snapshot stale, and SQLite would
     * reject its writes.
     */
    private boolean hasRead;

    /** Whether the transaction has had a turn. */
    private boolean writes;

    /** The last result of a query, which may still be open. */
    private @Nullable ResultSet result;

    /** Whether SQLite has reported the end of a writing transaction since the last call began. */
    private boolean told;

    QueuedWriter(WriteQueue queue, EngineWriteLock engine, SQLiteConnection sqlite) {
        this.queue = queue;
        this.engine = engine;
        this.sqlite = sqlite;
    }

    /** Called before a transaction that takes the write lock when it begins. */
    void beforeBegin() {
        awaitTurn(0);
    }

    /** Called before a call of the connection, a statement or a result. */
    void beforeCall() {
        told = false;
    }

    /** Called when SQLite commits or has rolled back, except to a savepoint. */
    void told() {
        told = true;
    }

    /** Called after a call, including a failed one. */
    void afterCall() {
        if (told) {
            ended();
        }
    }

    /** Called after a query has returned a result. */
    void returned(ResultSet returned) {
        if (!hasOpenResult()) {
            result = returned;
        }
    }

    /**
     * Called before a statement is run.
     *
     * @param timeoutSeconds timeout of the statement; 0 if it has none
     */
    void before(StatementKind kind, int timeoutSeconds) {
        told = false;
        switch (kind) {
            case BEGIN_WRITING, WRITE:
                awaitTurn(timeoutSeconds);
                break;
            case OTHER:
                hasRead = inTransaction();
                break;
            case BEGIN, END:
                break;
        }
    }

    /** @param done false if the statement has failed, so that a transaction is open or not as before */
    void after(StatementKind kind, boolean done) {
        if (done && (kind == StatementKind.BEGIN || kind == StatementKind.BEGIN_WRITING)) {
            begunByStatement = true;
        }
        if (told || (done && kind == StatementKind.END) || !inTransaction()) {
            ended();
        }
    }

    /** @param done false if the transaction could not be ended or begun, although the driver reports it as such */
    void afterAutoCommit(boolean on, boolean done) {
        if (on && !done && !told) {
            begunByStatement = true;
        } else if (on || (!done && !begunByStatement)) {
            ended();
        }
    }

    /** @param done false if the transaction continues, unless SQLite has reported its end */
    void afterEnd(boolean done, boolean nextHoldsLock) {
        if (done ? !nextHoldsLock : told) {
            ended();
        }
    }

    /** Called after the end of a transaction, if no other one has begun that holds the write lock. */
    void ended() {
        begunByStatement = false;
        hasRead = false;
        if (writes) {
            writes = false;
            queue.end(this);
        }
    }

    private boolean inTransaction() {
        return begunByStatement || !sqlite.getConnectionConfig().isAutoCommit();
    }

    /** Returns whether a result is open. SQLite then does not wait for the write lock, as in a transaction that has read. */
    private boolean hasOpenResult() {
        try {
            return result != null && !result.isClosed() && !result.isAfterLast();
        } catch (SQLException e) {
            return false;
        }
    }

    private void awaitTurn(int timeoutSeconds) {
        if (writes) {
            return;
        }
        if (!hasRead && !hasOpenResult()) {
            writes = true;
            long timeout = TimeUnit.MILLISECONDS.toNanos(sqlite.getBusyTimeout());
            if (timeoutSeconds > 0) {
                timeout = Math.min(timeout, TimeUnit.SECONDS.toNanos(timeoutSeconds));
            }
            if (timeout > 0) {
                queue.await(this, timeout);
                writes = true; // it is, unless another thread has used the connection
            }
        }
        engine.awaitRelease();
    }
}
