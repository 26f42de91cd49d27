package org.litestream4j;

import java.util.concurrent.TimeUnit;
import org.sqlite.SQLiteConnection;

/**
 * The transactions of one connection, as the queue of writers sees them: a turn begins before SQLite is asked for the write
 * lock, and ends with the transaction. Used by one thread at a time.
 */
final class QueuedWriter {

    private final WriteQueue queue;
    private final WriteLock engine;
    private final SQLiteConnection sqlite;

    /** Whether a statement has begun a transaction, not a call of JDBC's. */
    private boolean begunByStatement;

    /** Whether the transaction has read: to wait for another writer would outdate what it saw, and SQLite refuse it. */
    private boolean hasRead;

    /** Whether it was its turn once in this transaction. */
    private boolean writes;

    QueuedWriter(WriteQueue queue, WriteLock engine, SQLiteConnection sqlite) {
        this.queue = queue;
        this.engine = engine;
        this.sqlite = sqlite;
    }

    /** A transaction is about to take the write lock as it begins. */
    void beforeBegin() {
        awaitTurn(0);
    }

    /**
     * A statement is about to be run.
     *
     * @param timeoutSeconds its own; 0 if it has none
     */
    void before(StatementKind kind, int timeoutSeconds) {
        switch (kind) {
            case BEGIN:
                begunByStatement = true;
                break;
            case BEGIN_WRITING:
                begunByStatement = true;
                awaitTurn(timeoutSeconds);
                break;
            case WRITE:
                awaitTurn(timeoutSeconds);
                break;
            case OTHER:
                hasRead = inTransaction();
                break;
            case END:
                break;
        }
    }

    /** A statement was run, or has failed. */
    void after(StatementKind kind) {
        if (kind == StatementKind.END || !inTransaction()) {
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

    private void awaitTurn(int timeoutSeconds) {
        if (writes) {
            return;
        }
        if (!hasRead) {
            writes = true;
            long timeout = TimeUnit.MILLISECONDS.toNanos(sqlite.getBusyTimeout());
            if (timeoutSeconds > 0) {
                timeout = Math.min(timeout, TimeUnit.SECONDS.toNanos(timeoutSeconds));
            }
            if (timeout > 0) {
                queue.await(this, timeout);
            }
        }
        engine.awaitRelease();
    }
}
