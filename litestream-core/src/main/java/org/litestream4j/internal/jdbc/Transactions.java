package org.litestream4j.internal.jdbc;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.jdbc.SqlText.Checkpoint;
import org.sqlite.SQLiteCommitListener;
import org.sqlite.SQLiteConfig.TransactionMode;
import org.sqlite.SQLiteConnection;

/**
 * The transactions of one connection: reports their commits to the engine, makes the commits wait for the replica, and
 * queues the connection among the writers. Used by one thread at a time.
 */
final class Transactions implements SQLiteCommitListener {

    private final Connection connection;
    private final SQLiteConnection sqlite;
    private final ApplicationConnections database;
    private final CommitHooks.Policy policy;
    private final QueuedWriter writer;

    /** Whether statements that are their own transaction wait, too. */
    private final boolean watchesStatements;

    private final Attachments attachments;

    /** Whether SQLite has committed since the last call began. */
    private boolean committed;

    /** Whether a transaction was begun without the write lock that it is configured to hold from its beginning. */
    private boolean relaxed;

    /** Whether the transaction may have made writes that SQLite does not count as changed rows. */
    private boolean wrote;

    /** Number of rows that the connection had written when the transaction began. */
    private long changesBefore;

    Transactions(
            Connection connection, SQLiteConnection sqlite, ApplicationConnections database, CommitHooks.Policy policy)
            throws SQLException {
        this.connection = connection;
        this.sqlite = sqlite;
        this.database = database;
        this.policy = policy;
        this.writer = new QueuedWriter(database.writeQueue(), database.engineWriteLock(), sqlite);
        this.watchesStatements = database.hooks().isDurable();
        this.attachments = new Attachments(sqlite, database);
        attachments.opened();
        transactionBegins();
    }

    /** Called on the committing thread, before the commit is visible; must neither throw nor access files. */
    @Override
    public void onCommit() {
        committed = true;
        writer.told();
        database.hooks().committing();
        attachments.committing();
    }

    /** Called after a rollback. One call may commit a transaction and roll another back; the commit remains valid. */
    @Override
    public void onRollback() {
        writer.told();
    }

    /** Called before a call that may end a transaction. */
    void beforeCall() {
        committed = false;
        writer.beforeCall();
    }

    /** Called after a call, including a failed one. */
    void called() {
        writer.afterCall();
    }

    /** Called after a query has returned a result. */
    void returned(ResultSet result) {
        writer.returned(result);
    }

    /** Called after a successful call. */
    void afterCall() throws SQLException {
        if (committed) {
            committed = false;
            if (watchesStatements || !attachments.isEmpty()) {
                settle(replicated(true), sqlite.getConnectionConfig().isAutoCommit());
            }
        }
    }

    /** Called after a failed call, which may have committed before it failed, as a batch whose second statement fails. */
    void afterFailure(Throwable failure) {
        try {
            afterCall();
        } catch (SQLException | RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    /** Reports commits of SQLite, which are visible now. */
    private void settle(List<ApplicationConnections> replicated, boolean autoCommit) throws SQLException {
        if (!attachments.isEmpty() && !sqlite.isClosed()) {
            attachments
                    .replicated()
                    .forEach(attached -> attached.hooks().committing()); // includes databases attached within the call
            attachments.checkpointOthers();
        }
        for (ApplicationConnections written : replicated) {
            policy.committed(written.hooks(), autoCommit);
        }
    }

    /**
     * Returns the databases whose replicas a commit waits for. SQLite does not report which of the attached databases
     * it wrote to.
     *
     * @param statement whether the commit belongs to a statement that is its own transaction
     */
    private List<ApplicationConnections> replicated(boolean statement) throws SQLException {
        if (attachments.isEmpty()) {
            return isReplicated(database, statement) ? List.of(database) : List.of();
        }
        return Stream.concat(Stream.of(database), attachments.replicated().stream())
                .filter(written -> isReplicated(written, statement))
                .toList();
    }

    private boolean isReplicated(ApplicationConnections written, boolean statement) {
        return (!statement || written.hooks().isDurable()) && policy.isReplicated(written.hooks());
    }

    /**
     * Called before a statement is run.
     *
     * @param texts texts of the statement, as far as known
     * @param timeoutSeconds timeout of the statement; 0 if it has none
     */
    void beforeStatement(List<SqlText> texts, StatementKind kind, int timeoutSeconds) throws SQLException {
        for (SqlText text : texts) {
            wrote |= !text.readsOnly();
            for (Checkpoint checkpoint : text.checkpoints()) {
                attachments.beforeCheckpoint(checkpoint, Duration.ofMillis(sqlite.getBusyTimeout()));
            }
        }
        committed = false;
        attachments.forgetLeft();
        writer.before(kind, timeoutSeconds);
    }

    /** Called after a statement has succeeded. */
    void afterStatement(List<SqlText> texts) throws SQLException {
        run(texts);
        afterCall();
        for (SqlText text : texts) {
            if (text.writtenFile() != null) {
                written(text.writtenFile());
            }
        }
    }

    /** Called after a statement has failed; the part of the text or batch before the failure is done. */
    void afterFailure(List<SqlText> texts, Throwable failure) {
        try {
            run(texts);
        } catch (SQLException e) {
            failure.addSuppressed(e);
        }
        afterFailure(failure);
    }

    private void run(List<SqlText> texts) throws SQLException {
        boolean attached = false;
        boolean detached = false;
        for (SqlText text : texts) {
            attached |= text.attaches();
            detached |= text.detaches();
            if (text.unreported()) {
                onCommit();
            }
        }
        if (attached || detached) {
            attachments.changed(attached, detached);
        }
    }

    /** Called after the driver's backup command has written to a file, which may be a replicated database. */
    private void written(Path file) {
        ApplicationConnections target = RegisteredDatabases.find(file);
        if (target != null) {
            target.hooks().committing();
            if (isReplicated(target, true)) {
                policy.committed(target.hooks(), true);
            }
        }
    }

    /** Returns whether the engine runs the checkpoints that an application requests for the database of a schema. */
    boolean isReplicated(@Nullable String schema) {
        return attachments.isReplicated(schema);
    }

    /** @param done false if the statement has failed */
    void afterStatement(StatementKind kind, boolean done) {
        writer.after(kind, done);
    }

    void setAutoCommit(boolean on) throws SQLException {
        beforeCall();
        if (on) {
            relaxed = false; // the next transaction begins as configured
        }
        if (connection.getAutoCommit() == on) {
            connection.setAutoCommit(on); // no effect; ends no transaction
            return;
        }
        if (!on) {
            transactionBegins();
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

    private void transactionBegins() throws SQLException {
        wrote = false;
        changesBefore = sqlite.getDatabase().total_changes();
    }

    void commit() throws SQLException {
        beforeCall();
        attachments.forgetLeft();
        List<ApplicationConnections> replicated = replicated(false);
        boolean letsGo = !replicated.isEmpty() || attachments.isCheckpointDue();
        boolean changed = true;
        if (!letsGo || isDeferred() || connection.getAutoCommit()) {
            end(connection::commit);
        } else {
            changed = hasChanged();
            end(() -> endAndRelease(connection::commit));
        }
        transactionBegins();
        if (committed && changed) {
            committed = false;
            settle(replicated, false);
        }
    }

    /**
     * Ends a transaction. The driver begins the next one immediately; as configured, it would hold the write lock
     * during the wait.
     */
    private void endAndRelease(Ending ending) throws SQLException {
        TransactionMode mode = sqlite.getConnectionConfig().getTransactionMode();
        sqlite.getConnectionConfig().setTransactionMode(TransactionMode.DEFERRED);
        try {
            ending.run();
            relaxed = true;
        } finally {
            sqlite.getConnectionConfig().setTransactionMode(mode);
        }
    }

    /** Rolls back the whole transaction, not only to a savepoint. */
    void rollback() throws SQLException {
        beforeCall();
        if (relaxed) {
            end(() -> endAndRelease(connection::rollback));
        } else {
            end(connection::rollback);
        }
        transactionBegins();
    }

    private interface Ending {
        void run() throws SQLException;
    }

    /** Ends a transaction. The driver begins the next one immediately, which may hold the write lock from its beginning. */
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

    /** Called before the first statement of a transaction, which begins as configured. */
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

    /** Called after the connection was closed. */
    void closed() {
        writer.ended();
    }

    /**
     * Returns whether the transaction has changed the database. A transaction that held the write lock is reported by
     * SQLite as committed, even if it only read. Writes that change no rows, such as {@code PRAGMA user_version}, are
     * not visible; a transaction that may have made such writes counts as a change.
     */
    private boolean hasChanged() throws SQLException {
        return wrote || sqlite.getDatabase().total_changes() != changesBefore;
    }
}
