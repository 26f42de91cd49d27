package org.litestream4j;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.sqlite.SQLiteCommitListener;
import org.sqlite.SQLiteConfig.TransactionMode;
import org.sqlite.SQLiteConnection;

/**
 * The transactions of one connection: tells the engine when they commit, lets the commit wait for the replica, and takes its
 * turn among the writers. Used by one thread at a time.
 */
final class Transactions implements SQLiteCommitListener {

    private final Connection connection;
    private final SQLiteConnection sqlite;
    private final ManagedDatabase database;
    private final CommitPolicy policy;
    private final QueuedWriter writer;

    /** Whether statements that are transactions of their own wait, too. */
    private final boolean watchesStatements;

    private boolean committed;

    /** Whether a transaction that should hold the write lock from its beginning was begun without. */
    private boolean relaxed;

    private State seen;

    Transactions(Connection connection, SQLiteConnection sqlite, ManagedDatabase database, CommitPolicy policy)
            throws SQLException {
        this.connection = connection;
        this.sqlite = sqlite;
        this.database = database;
        this.policy = policy;
        this.writer = new QueuedWriter(database.writeQueue(), database.writeLock(), sqlite);
        this.watchesStatements = database.config().durability() == Durability.REPLICATED;
        this.seen = isDeferred() ? State.NONE : State.of(sqlite);
    }

    /** Runs on the committing thread, before the commit is visible; must neither throw nor touch files. */
    @Override
    public void onCommit() {
        committed = true;
        database.committing();
    }

    @Override
    public void onRollback() {
        committed = false;
    }

    /** Whether what a statement returns may end its transaction later, and that is to be seen. */
    boolean watchesResults() throws SQLException {
        return watchesStatements && connection.getAutoCommit();
    }

    /** What may end a transaction is about to be called. */
    void beforeCall() {
        committed = false;
    }

    /** After a call that has ended normally: who gets an exception knows that it is not sure what is committed. */
    void afterCall() throws SQLException {
        if (committed && watchesStatements) {
            committed = false;
            if (policy.isReplicated(database)) {
                policy.committed(database, connection.getAutoCommit());
            }
        }
    }

    /** @param timeoutSeconds of the statement itself; 0 if it has none */
    void beforeStatement(StatementKind kind, int timeoutSeconds) {
        committed = false;
        writer.before(kind, timeoutSeconds);
    }

    /** Also after a statement that failed. */
    void afterStatement(StatementKind kind) {
        writer.after(kind);
    }

    void beforeAutoCommit(boolean on) throws SQLException {
        committed = false;
        if (on) {
            relaxed = false; // the next transaction begins as it is configured
        } else if (connection.getAutoCommit()) {
            seen = seen.counted(sqlite);
            if (!isDeferred()) {
                writer.beforeBegin();
            }
        }
    }

    /** Also if that failed. */
    void afterAutoCommit(boolean on) {
        if (on) {
            writer.ended();
        }
    }

    void commit() throws SQLException {
        if (!policy.isReplicated(database)) {
            connection.commit();
            writeLockReturned();
            return;
        }
        boolean changed = true;
        committed = false;
        TransactionMode mode = sqlite.getConnectionConfig().getTransactionMode();
        if (mode == TransactionMode.DEFERRED || connection.getAutoCommit()) {
            connection.commit();
        } else {
            changed = hasChanged();
            commitAndLetGo(mode);
        }
        writeLockReturned();
        if (committed && changed) {
            committed = false;
            policy.committed(database, false);
        }
    }

    /** The driver begins the next transaction at once: as it is configured, that would hold the write lock while we wait. */
    private void commitAndLetGo(TransactionMode mode) throws SQLException {
        sqlite.getConnectionConfig().setTransactionMode(TransactionMode.DEFERRED);
        try {
            connection.commit();
            relaxed = true;
        } finally {
            sqlite.getConnectionConfig().setTransactionMode(mode);
        }
    }

    /** A transaction was rolled back, not only to a savepoint. */
    void rolledBack() throws SQLException {
        writeLockReturned();
        seen = seen.counted(sqlite);
    }

    /** A transaction has ended; the driver has begun the next one, which may hold the write lock from its beginning. */
    private void writeLockReturned() throws SQLException {
        if (connection.getAutoCommit() || relaxed || isDeferred()) {
            writer.ended();
        }
    }

    private boolean isDeferred() {
        return sqlite.getConnectionConfig().getTransactionMode() == TransactionMode.DEFERRED;
    }

    /** Before the first statement of a transaction: it begins as it is configured. */
    void restoreMode() throws SQLException {
        if (relaxed) {
            relaxed = false;
            if (!connection.getAutoCommit()) {
                connection.setAutoCommit(true);
                writer.beforeBegin();
                connection.setAutoCommit(false);
            }
        }
    }

    /** The connection was closed. */
    void closed() {
        writer.ended();
    }

    /** A transaction that held the write lock counts as committed, even if all it did was read. */
    private boolean hasChanged() throws SQLException {
        State before = seen;
        seen = State.of(sqlite);
        return !seen.equals(before);
    }

    /**
     * Tells whether a transaction wrote.
     *
     * @param changes rows that the connection has written
     * @param schema version of the schema
     * @param user version of the application
     */
    private record State(long changes, long schema, long user) {

        static final State NONE = new State(0, 0, 0);

        static State of(SQLiteConnection sqlite) throws SQLException {
            try (Statement statement = sqlite.createStatement();
                    ResultSet row = statement.executeQuery(
                            "SELECT schema_version, user_version FROM pragma_schema_version, pragma_user_version")) {
                return new State(sqlite.getDatabase().total_changes(), row.getLong(1), row.getLong(2));
            }
        }

        State counted(SQLiteConnection sqlite) throws SQLException {
            return new State(sqlite.getDatabase().total_changes(), schema, user);
        }
    }
}
