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
 * The transactions of one connection: tells the engine when they commit, lets the commit wait for the replica, and takes its
 * turn among the writers. Used by one thread at a time.
 */
final class Transactions implements SQLiteCommitListener {

    private final Connection connection;
    private final SQLiteConnection sqlite;
    private final ApplicationConnections database;
    private final CommitHooks.Policy policy;
    private final QueuedWriter writer;

    /** Whether statements that are transactions of their own wait, too. */
    private final boolean watchesStatements;

    private final Attachments attachments;

    /** Whether SQLite has committed since the last call began. */
    private boolean committed;

    /** Whether a transaction that should hold the write lock from its beginning was begun without. */
    private boolean relaxed;

    /** Whether the transaction may have written what SQLite does not count as changed rows. */
    private boolean wrote;

    /** Rows that the connection had written when the transaction began. */
    private long changesBefore;

    Transactions(
            Connection connection, SQLiteConnection sqlite, ApplicationConnections database, CommitHooks.Policy policy)
            throws SQLException {
        this.connection = connection;
        this.sqlite = sqlite;
        this.database = database;
        this.policy = policy;
        this.writer = new QueuedWriter(database.writeQueue(), database.writeLock(), sqlite);
        this.watchesStatements = database.hooks().isDurable();
        this.attachments = new Attachments(sqlite, database);
        attachments.opened();
        transactionBegins();
    }

    /** Runs on the committing thread, before the commit is visible; must neither throw nor touch files. */
    @Override
    public void onCommit() {
        committed = true;
        writer.told();
        database.hooks().committing();
        attachments.committing();
    }

    /** One call may commit a transaction and roll another back: what is committed stays so. */
    @Override
    public void onRollback() {
        writer.told();
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

    /** After a call that has ended normally. */
    void afterCall() throws SQLException {
        if (committed) {
            committed = false;
            if (watchesStatements || !attachments.isEmpty()) {
                settle(replicated(true), sqlite.getConnectionConfig().isAutoCommit());
            }
        }
    }

    /** After a call that has failed: it may have committed something before, as a batch whose second statement fails. */
    void afterFailure(Throwable failure) {
        try {
            afterCall();
        } catch (SQLException | RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    /** What SQLite has committed is visible now. */
    private void settle(List<ApplicationConnections> replicated, boolean autoCommit) throws SQLException {
        if (!attachments.isEmpty() && !sqlite.isClosed()) {
            attachments
                    .replicated()
                    .forEach(attached -> attached.hooks().committing()); // what was attached within the call, too
            attachments.checkpointOthers();
        }
        for (ApplicationConnections written : replicated) {
            policy.committed(written.hooks(), autoCommit);
        }
    }

    /**
     * The databases whose replicas a commit waits for. SQLite does not tell to which of the attached ones it wrote.
     *
     * @param statement whether it is a statement that is a transaction of its own
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
     * A statement is about to be run.
     *
     * @param texts what is run, as far as it is known
     * @param timeoutSeconds of the statement itself; 0 if it has none
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

    /** After one that has ended normally. */
    void afterStatement(List<SqlText> texts) throws SQLException {
        run(texts);
        afterCall();
        for (SqlText text : texts) {
            if (text.writtenFile() != null) {
                written(text.writtenFile());
            }
        }
    }

    /** After one that has failed: what comes before the failure in the same text or batch is done. */
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

    /** The driver's backup command has written to a file, which may be a database of ours. */
    private void written(Path file) {
        ApplicationConnections target = RegisteredDatabases.find(file);
        if (target != null) {
            target.hooks().committing();
            if (isReplicated(target, true)) {
                policy.committed(target.hooks(), true);
            }
        }
    }

    /** Whether the engine has to checkpoint the database of a schema for an application that asks SQLite for it. */
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
            relaxed = false; // the next transaction begins as it is configured
        }
        if (connection.getAutoCommit() == on) {
            connection.setAutoCommit(on); // does nothing, and ends nothing
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
            end(() -> endAndLetGo(connection::commit));
        }
        transactionBegins();
        if (committed && changed) {
            committed = false;
            settle(replicated, false);
        }
    }

    /** The driver begins the next transaction at once: as it is configured, that would hold the write lock while we wait. */
    private void endAndLetGo(Ending ending) throws SQLException {
        TransactionMode mode = sqlite.getConnectionConfig().getTransactionMode();
        sqlite.getConnectionConfig().setTransactionMode(TransactionMode.DEFERRED);
        try {
            ending.run();
            relaxed = true;
        } finally {
            sqlite.getConnectionConfig().setTransactionMode(mode);
        }
    }

    /** Not only to a savepoint. */
    void rollback() throws SQLException {
        beforeCall();
        if (relaxed) {
            end(() -> endAndLetGo(connection::rollback));
        } else {
            end(connection::rollback);
        }
        transactionBegins();
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

    /**
     * A transaction that held the write lock counts as committed, even if all it did was read. What is written without changing
     * rows, as {@code PRAGMA user_version}, shows nowhere: whoever may have done that has changed something.
     */
    private boolean hasChanged() throws SQLException {
        return wrote || sqlite.getDatabase().total_changes() != changesBefore;
    }
}
