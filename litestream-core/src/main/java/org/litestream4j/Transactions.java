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
        writer.told();
        database.committing();
    }

    @Override
    public void onRollback() {
        committed = false;
        writer.told();
    }

    /** Whether what a statement returns may end its transaction later, and that is to be seen. */
    boolean watchesResults() throws SQLException {
        return watchesStatements && connection.getAutoCommit();
    }

    /** What may end a transaction is about to be called. */
    void beforeCall() {
        committed = false;
        writer.beforeCall();
    }

    /** Also if that failed. */
    void called() {
        writer.afterCall();
    }

    /** A query has returned something. */
    void returned(ResultSet result) {
        writer.returned(result);
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

    /** @param done false if the statement has failed */
    void afterStatement(StatementKind kind, boolean done) {
        writer.after(kind, done);
    }

    void setAutoCommit(boolean on) throws SQLException {
        beforeCall();
        if (on) {
            relaxed = false; // the next transaction begins as it is configured
        }
        if (connection.getAutoCommit() == on) {
            connection.setAutoCommit(on); // does nothing, and ends nothing
            return;
        }
        if (!on) {
            seen = seen.counted(sqlite);
            if (!isDeferred()) {
                writer.beforeBegin();
            }
        }
        boolean done = false;
        try {
            connection.setAutoCommit(on);
            done = true;
        } finally {
            writer.afterAutoCommit(on, done);
        }
        afterCall();
    }

    void commit() throws SQLException {
        beforeCall();
        if (!policy.isReplicated(database)) {
            end(connection::commit);
            return;
        }
        boolean changed = true;
        TransactionMode mode = sqlite.getConnectionConfig().getTransactionMode();
        if (mode == TransactionMode.DEFERRED || connection.getAutoCommit()) {
            end(connection::commit);
        } else {
            changed = hasChanged();
            end(() -> commitAndLetGo(mode));
        }
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

    /** Not only to a savepoint. */
    void rollback() throws SQLException {
        beforeCall();
        end(connection::rollback);
        seen = seen.counted(sqlite);
    }

    private interface Ending {
        void run() throws SQLException;
    }

    /** The driver begins the next transaction at once, which may hold the write lock from its beginning. */
    private void end(Ending ending) throws SQLException {
        boolean done = false;
        try {
            ending.run();
            done = true;
        } finally {
            writer.afterEnd(done, !relaxed && !isDeferred());
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
