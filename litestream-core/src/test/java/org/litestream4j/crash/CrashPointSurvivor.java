package org.litestream4j.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.litestream4j.DatabaseState;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.crash.CrashPointChild.Role;
import org.litestream4j.testing.ChildProcess;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.History;
import org.litestream4j.testing.SqliteFixture;

/**
 * A user of the database that is there while a {@link CrashPointChild} is killed, or while one of its calls fails, and that
 * continues afterwards.
 */
abstract class CrashPointSurvivor implements AutoCloseable {

    enum Kind {
        NOBODY,
        /** A plain connection without an engine. It keeps the wal-index alive, and writes afterwards. */
        CONNECTION,
        /** A second engine, which is passive and then takes over. */
        PASSIVE_ENGINE,
        /** The engine that replicates the database. */
        ENGINE
    }

    private static final long LONGEST_RUN = 300; // seconds

    final Path folder;
    final Role role;

    private CrashPointSurvivor(Path folder, Role role) {
        this.folder = folder;
        this.role = role;
    }

    static CrashPointSurvivor of(Kind kind, Path folder, Role role) throws Exception {
        return switch (kind) {
            case NOBODY -> new Nobody(folder, role);
            case CONNECTION -> new Plain(folder, role);
            case PASSIVE_ENGINE -> new Passive(folder, role);
            case ENGINE -> new Active(folder, role);
        };
    }

    /** Lets the child do its work, and waits for its end. */
    void accompany(ChildProcess child) throws Exception {
        if (child.awaitOutputOrExit("child: ready")) {
            whileReady();
            child.tell("go");
        }
        assertThat(child.awaitExit(LONGEST_RUN)).as("ends: %s", child.output()).isTrue();
    }

    /** Is called when the child is ready to begin, and waits. */
    void whileReady() throws Exception {}

    /** Continues after the child's end, and compares. */
    abstract void continueAndCheck(CrashPointCheck check) throws Exception;

    @Override
    public void close() throws SQLException {}

    private static final class Nobody extends CrashPointSurvivor {
        Nobody(Path folder, Role role) {
            super(folder, role);
        }

        @Override
        void continueAndCheck(CrashPointCheck check) throws Exception {
            check.continuesWithNewEngine();
        }
    }

    private static final class Plain extends CrashPointSurvivor {
        private static final int MAX_COMMITS = 100;

        private final Connection connection;
        private int attempts;

        Plain(Path folder, Role role) throws SQLException {
            super(folder, role);
            connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("app.db"));
            execute(connection, "PRAGMA busy_timeout=10000", "PRAGMA wal_autocheckpoint=0");
            SqliteFixture.query(connection, "SELECT n FROM total");
        }

        /** Writes, if the child is an engine without a writer. */
        @Override
        void whileReady() throws SQLException {
            if (role == Role.ENGINE) {
                for (int i = 1; i <= 3; i++) {
                    History.append(connection, "beside-" + i);
                }
            }
        }

        /** Commits and checkpoints while the engine starts: each commit finds everything copied back, and resets the WAL. */
        @Override
        void continueAndCheck(CrashPointCheck check) throws Exception {
            int commits = write(() -> false, 2);
            AtomicBoolean ended = new AtomicBoolean();
            CompletableFuture<Integer> writer = CompletableFuture.supplyAsync(() -> write(ended::get, MAX_COMMITS));
            try (Litestream litestream = EngineFixture.litestream()) {
                ManagedDatabase database = litestream.register(CrashPointChild.config(folder, folder, role));
                try {
                    database.sync(EngineFixture.TIMEOUT);
                } finally {
                    ended.set(true);
                    commits += writer.join();
                }
                try (Connection own = EngineFixture.open(database)) {
                    check.continues(database, own);
                }
            }
            assertThat(commits).isGreaterThan(2);
        }

        private int write(BooleanSupplier ended, int most) {
            int commits = 0;
            try {
                while (commits < most && !ended.getAsBoolean()) {
                    History.append(connection, "survivor-" + ++attempts);
                    execute(connection, "PRAGMA wal_checkpoint(PASSIVE)");
                    commits++;
                }
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
            return commits;
        }

        @Override
        public void close() throws SQLException {
            connection.close();
        }
    }

    private abstract static class WithEngine extends CrashPointSurvivor {
        final Litestream litestream = EngineFixture.litestream();
        ManagedDatabase database;
        Connection connection;

        WithEngine(Path folder, Role role) {
            super(folder, role);
        }

        void begin() throws IOException, SQLException {
            database = litestream.register(CrashPointChild.config(folder, folder, role));
            connection = EngineFixture.open(database);
        }

        @Override
        public void close() throws SQLException {
            if (connection != null) {
                connection.close();
            }
            litestream.close();
        }
    }

    private static final class Passive extends WithEngine {
        Passive(Path folder, Role role) {
            super(folder, role);
        }

        @Override
        void whileReady() throws Exception {
            begin();
            assertThat(database.status().state()).isEqualTo(DatabaseState.PASSIVE);
            SqliteFixture.query(connection, "SELECT n FROM total");
        }

        @Override
        void continueAndCheck(CrashPointCheck check) throws Exception {
            if (database == null) { // the child ended before it was ready
                begin();
            }
            await().atMost(EngineFixture.TIMEOUT).until(() -> database.status().state() == DatabaseState.REPLICATING);
            check.continues(database, connection);
        }
    }

    private static final class Active extends WithEngine {
        Active(Path folder, Role role) throws Exception {
            super(folder, role);
            begin();
        }

        /** Captures the frames that the child left before the next commit overwrites them. */
        @Override
        void continueAndCheck(CrashPointCheck check) throws Exception {
            database.sync(EngineFixture.TIMEOUT);
            check.continues(database, connection);
        }
    }
}
