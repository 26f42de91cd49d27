package org.litestream4j.internal.jdbc;

import java.io.File;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.jdbc.SqlText.Checkpoint;
import org.litestream4j.internal.wal.WalFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConnection;

/**
 * The databases that a connection has attached. Commits to a replicated database must be reported to its engine, and
 * may have to wait for its replica. Any other attached database must be checkpointed here, because
 * {@code wal_autocheckpoint} is off for the whole connection. Used by one thread at a time.
 */
final class Attachments {

    private static final Logger log = LoggerFactory.getLogger(Attachments.class);

    /** SQLite's default number of pages. */
    private static final int CHECKPOINT_PAGES = 1_000;

    private final SQLiteConnection sqlite;
    private final ApplicationConnections main;
    private List<Replicated> replicated = List.of();
    private List<Unreplicated> others = List.of();
    private long registrations;

    /** Databases that the running call may have written to, although they are no longer attached. */
    private List<ApplicationConnections> left = List.of();

    private record Replicated(String schema, ApplicationConnections database) {}

    Attachments(SQLiteConnection sqlite, ApplicationConnections main) {
        this.sqlite = sqlite;
        this.main = main;
    }

    boolean isEmpty() {
        return replicated.isEmpty() && others.isEmpty() && left.isEmpty();
    }

    /**
     * Called after a text that attaches or detaches databases was run. If it does both, the databases it wrote to in
     * between are unknown.
     */
    void changed(boolean attached, boolean detached) throws SQLException {
        List<ApplicationConnections> before =
                replicated.stream().map(Replicated::database).toList();
        refresh();
        left = attached && detached ? RegisteredDatabases.all() : before;
    }

    /**
     * Reads the databases that the application's DataSource has already attached. Leaves the connection without a
     * statement in its transaction, as a pool expects; otherwise, the driver refuses to make it read-only.
     */
    void opened() throws SQLException {
        boolean used = sqlite.isFirstStatementExecuted();
        boolean begins = !sqlite.getAutoCommit() && !used;
        if (begins) {
            sqlite.setAutoCommit(true);
        }
        refresh();
        if (begins) {
            sqlite.setAutoCommit(false);
        }
        sqlite.setFirstStatementExecuted(used);
    }

    /** Reads the attached databases from SQLite. */
    private void refresh() throws SQLException {
        registrations = RegisteredDatabases.changes();
        List<Replicated> nowReplicated = new ArrayList<>();
        List<Unreplicated> nowOthers = new ArrayList<>();
        try (Statement statement = sqlite.createStatement()) {
            List<String[]> rows = new ArrayList<>();
            try (ResultSet row = statement.executeQuery("PRAGMA database_list")) {
                while (row.next()) {
                    if (row.getInt("seq") > 1 && !row.getString("file").isEmpty()) { // 0 is main, 1 is temp
                        rows.add(new String[] {row.getString("name"), row.getString("file")});
                    }
                }
            }
            for (String[] row : rows) {
                ApplicationConnections database = RegisteredDatabases.find(Path.of(row[1]));
                if (database != null) {
                    nowReplicated.add(new Replicated(row[0].toLowerCase(Locale.ROOT), database));
                } else {
                    nowOthers.add(known(statement, row[0], new File(row[1] + "-wal")));
                }
            }
        }
        replicated = List.copyOf(nowReplicated);
        others = List.copyOf(nowOthers);
    }

    private Unreplicated known(Statement statement, String schema, File wal) throws SQLException {
        for (Unreplicated other : others) {
            if (other.schema.equals(schema) && other.wal.equals(wal)) {
                return other;
            }
        }
        return Unreplicated.of(statement, schema, wal);
    }

    private void refreshIfRegistrationsChanged() throws SQLException {
        if (!isEmpty() && registrations != RegisteredDatabases.changes()) {
            refresh();
        }
    }

    /** Called when SQLite is about to commit; must neither throw nor access files. */
    void committing() {
        for (Replicated attached : replicated) {
            attached.database.hooks().committing();
        }
    }

    /** Returns the replicated databases, without the connection's own. */
    List<ApplicationConnections> replicated() throws SQLException {
        refreshIfRegistrationsChanged();
        if (replicated.isEmpty() && left.isEmpty()) {
            return List.of();
        }
        return Stream.concat(replicated.stream().map(Replicated::database), left.stream())
                .filter(database -> database != main)
                .distinct()
                .toList();
    }

    /** Called at the beginning of a call, when the previous call is complete. */
    void forgetLeft() {
        left = List.of();
    }

    /** Returns whether {@link #checkpointOthers} has work, which it cannot do while the connection holds the write lock. */
    boolean isCheckpointDue() {
        for (Unreplicated other : others) {
            if (other.hasGrown()) {
                return true;
            }
        }
        return false;
    }

    /**
     * Checkpoints attached databases that are not replicated and have grown; called after a commit, in place of
     * SQLite's automatic checkpoint.
     */
    void checkpointOthers() {
        for (Unreplicated other : others) {
            if (other.hasGrown() && other.checkpoint(sqlite, "PASSIVE")) {
                other.seen = other.wal.length();
            }
        }
    }

    /** Returns whether the engine checkpoints the database of a schema. */
    boolean isReplicated(@Nullable String schema) {
        return schema == null
                || schema.equals("main")
                || replicated.stream().anyMatch(attached -> attached.schema.equals(schema));
    }

    /** Does, or lets the engine do, the part of a waiting checkpoint that the passive checkpoint in its place cannot do. */
    void beforeCheckpoint(Checkpoint checkpoint, Duration timeout) throws SQLException {
        refreshIfRegistrationsChanged();
        String schema = checkpoint.schema();
        if (schema == null || schema.equals("main")) {
            main.hooks().checkpoint(timeout);
        }
        for (Replicated attached : replicated) {
            if (attached.database != main && (schema == null || schema.equals(attached.schema))) {
                attached.database.hooks().checkpoint(timeout);
            }
        }
        if (schema == null) {
            for (Unreplicated other : others) {
                other.checkpoint(sqlite, checkpoint.mode());
            }
        }
    }

    private static String quoted(String schema) {
        return '"' + schema.replace("\"", "\"\"") + '"';
    }

    /** A database that is not checkpointed by an engine of this process. */
    private static final class Unreplicated {
        private final String schema;
        private final File wal;
        private final long limit;

        /** Length of the WAL at the last checkpoint, or since it was truncated. */
        private long seen;

        private Unreplicated(String schema, File wal, long limit) {
            this.schema = schema;
            this.wal = wal;
            this.limit = limit;
        }

        /**
         * Sets a size limit for the WAL. A WAL is truncated to the limit when it is restarted; only then does its
         * length show how much it contains.
         */
        static Unreplicated of(Statement statement, String schema, File wal) throws SQLException {
            long frame = number(statement, "PRAGMA " + quoted(schema) + ".page_size") + WalFile.FRAME_HEADER_SIZE;
            long limit = CHECKPOINT_PAGES * frame;
            if (number(statement, "PRAGMA " + quoted(schema) + ".journal_size_limit") < 0) {
                statement.execute("PRAGMA " + quoted(schema) + ".journal_size_limit=" + limit);
            }
            return new Unreplicated(schema, wal, limit);
        }

        private static long number(Statement statement, String sql) throws SQLException {
            try (ResultSet row = statement.executeQuery(sql)) {
                return row.getLong(1);
            }
        }

        boolean hasGrown() {
            long length = wal.length(); // 0 if there is none
            seen = Math.min(seen, length);
            return length - seen >= limit;
        }

        /** Runs a checkpoint; returns false if that is not possible now, because the connection is in a transaction. */
        boolean checkpoint(SQLiteConnection sqlite, String mode) {
            try (Statement statement = sqlite.createStatement()) {
                statement.execute("PRAGMA " + quoted(schema) + ".wal_checkpoint(" + mode + ")");
                return true;
            } catch (SQLException e) {
                log.debug("checkpoint of an attached database failed: wal={}", wal, e);
                return false;
            }
        }
    }
}
