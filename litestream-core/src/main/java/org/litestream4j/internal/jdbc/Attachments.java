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
 * The databases that a connection has attached beside its own. One that is replicated must hear of commits, and commits may
 * have to wait for its replica. One that is not has nobody else who checkpoints it: {@code wal_autocheckpoint} is off for the
 * whole connection. Used by one thread at a time.
 */
final class Attachments {

    private static final Logger log = LoggerFactory.getLogger(Attachments.class);

    /** SQLite's own default. */
    private static final int CHECKPOINT_PAGES = 1_000;

    private final SQLiteConnection sqlite;
    private final ApplicationConnections main;
    private List<Replicated> replicated = List.of();
    private List<Unreplicated> others = List.of();
    private long registrations;

    /** Databases that the running call may have written to, although they are not attached any more. */
    private List<ApplicationConnections> left = List.of();

    private record Replicated(String schema, ApplicationConnections database) {}

    Attachments(SQLiteConnection sqlite, ApplicationConnections main) {
        this.sqlite = sqlite;
        this.main = main;
    }

    boolean isEmpty() {
        return replicated.isEmpty() && others.isEmpty() && left.isEmpty();
    }

    /** A text was run that attaches or detaches. Which databases it wrote to in between is not known if it does both. */
    void changed(boolean attached, boolean detached) throws SQLException {
        List<ApplicationConnections> before =
                replicated.stream().map(Replicated::database).toList();
        refresh();
        left = attached && detached ? RegisteredDatabases.all() : before;
    }

    /**
     * Asks SQLite what the application's DataSource has attached already. Leaves the connection as a pool wants to find it: without
     * a statement in its transaction, or the driver refuses to make it read-only.
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

    /** Asks SQLite what is attached. */
    private void refresh() throws SQLException {
        registrations = RegisteredDatabases.changes();
        List<Replicated> nowReplicated = new ArrayList<>();
        List<Unreplicated> nowOthers = new ArrayList<>();
        try (Statement statement = sqlite.createStatement()) {
            List<String[]> rows = new ArrayList<>();
            try (ResultSet row = statement.executeQuery("PRAGMA database_list")) {
                while (row.next()) {
                    if (row.getInt("seq") > 1 && !row.getString("file").isEmpty()) { // 0 is main, 1 temp
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

    /** SQLite is about to commit; must neither throw nor touch files. */
    void committing() {
        for (Replicated attached : replicated) {
            attached.database.hooks().committing();
        }
    }

    /** Those that are replicated, and are not the connection's own. */
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

    /** A call begins: what an earlier one did is settled. */
    void forgetLeft() {
        left = List.of();
    }

    /** Whether {@link #checkpointOthers} has something to do, which it cannot while the connection holds the write lock. */
    boolean isCheckpointDue() {
        for (Unreplicated other : others) {
            if (other.hasGrown()) {
                return true;
            }
        }
        return false;
    }

    /** After a commit, as SQLite's automatic checkpoint would: those that are not replicated and have grown. */
    void checkpointOthers() {
        for (Unreplicated other : others) {
            if (other.hasGrown() && other.checkpoint(sqlite, "PASSIVE")) {
                other.seen = other.wal.length();
            }
        }
    }

    /** Whether it is the engine that checkpoints the database of a schema. */
    boolean isReplicated(@Nullable String schema) {
        return schema == null
                || schema.equals("main")
                || replicated.stream().anyMatch(attached -> attached.schema.equals(schema));
    }

    /** Lets the engine do, or does, what a passive checkpoint cannot do that takes the place of one that waits. */
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

    /** A database that no engine of this process checkpoints. */
    private static final class Unreplicated {
        private final String schema;
        private final File wal;
        private final long limit;

        /** Length of the WAL at the last checkpoint, or since it was cut. */
        private long seen;

        private Unreplicated(String schema, File wal, long limit) {
            this.schema = schema;
            this.wal = wal;
            this.limit = limit;
        }

        /** A WAL is cut to the limit when it begins anew: only so its length tells how much is in it. */
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

        /** False if that cannot be now, because the connection itself is in a transaction. */
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
