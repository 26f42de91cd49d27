package org.litestream4j.internal.jdbc;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConnection;

/**
 * The transactions of one connection, as the queue of writers sees them: a turn begins before SQLite is asked for the write
 * lock, and ends with the transaction. Used by one thread at a time.
 */
final class QueuedWriter {

    private final WriteQueue queue;
    private final WriteLock engine;
    private final SQLiteConnection sqlite;

    /** Whether a transaction is open although JDBC's calls have begun none. */
    private boolean begunByStatement;

    /** Whether the transaction has read: to wait for another writer would outdate what it saw, and SQLite refuse it. */
    private boolean hasRead;

    /** Whether it was its turn once in this transaction. */
    private boolean writes;

    /** What a query returned may be open still. */
    private @Nullable ResultSet result;

    /** Whether SQLite has told of the end of a transaction that wrote, since the last call began. */
    private boolean told;

    QueuedWriter(WriteQueue queue, WriteLock engine, SQLiteConnection sqlite) {
        this.queue = queue;
        this.engine = engine;
        this.sqlite = sqlite;
    }

    /** A transaction is about to take the write lock as it begins. */
    void beforeBegin() {
        awaitTurn(0);
    }

    /** The connection, a statement or a result is about to be called. */
    void beforeCall() {
        told = false;
    }

    /** SQLite commits or has rolled back, not only to a savepoint. */
    void told() {
        told = true;
    }

    /** Also after a call that failed. */
    void afterCall() {
        if (told) {
            ended();
        }
    }

    /** A query has returned something. */
    void returned(ResultSet returned) {
        if (!hasOpenResult()) {
            result = returned;
        }
    }

    /**
     * A statement is about to be run.
     *
     * @param timeoutSeconds its own; 0 if it has none
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

    /** @param done false if the statement has failed: a transaction is open or not, as before */
    void after(StatementKind kind, boolean done) {
        if (done && (kind == StatementKind.BEGIN || kind == StatementKind.BEGIN_WRITING)) {
            begunByStatement = true;
        }
        if (told || (done && kind == StatementKind.END) || !inTransaction()) {
            ended();
        }
    }

    /** @param done false if the transaction could not be ended, or not be begun: the driver says that it is, nevertheless */
    void afterAutoCommit(boolean on, boolean done) {
        if (on && !done && !told) {
            begunByStatement = true;
        } else if (on || (!done && !begunByStatement)) {
            ended();
        }
    }

    /** @param done false if the transaction goes on, unless SQLite has told otherwise */
    void afterEnd(boolean done, boolean nextHoldsLock) {
        if (done ? !nextHoldsLock : told) {
            ended();
        }
    }

    /** The transaction has ended, and no other one has begun that holds the write lock. */
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

    /** Then SQLite does not wait for the write lock, as in a transaction that has read. */
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
                writes = true; // unless another thread has used the connection meanwhile, it is
            }
        }
        engine.awaitRelease();
    }
}
