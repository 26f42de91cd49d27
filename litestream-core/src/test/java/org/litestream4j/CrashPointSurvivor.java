package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.SqliteFixture.execute;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import org.litestream4j.CrashPointChild.Role;

/** Who has the database open while {@link CrashPointChild} is killed, or a call of it fails, and goes on afterwards. */
abstract class CrashPointSurvivor implements AutoCloseable {

    enum Kind {
        NOBODY,
        /** A connection of a program that knows nothing of an engine: keeps the wal-index alive, and writes afterwards. */
        CONNECTION,
        /** A second engine, which is passive and takes over. */
        PASSIVE_ENGINE,
        /** The engine that replicates what the process writes. */
        ENGINE
    }

    private static final long LONGEST_RUN = 90; // seconds

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

    /** Lets the child do its work; returns after its end. */
    void accompany(ChildProcess child) throws Exception {
        if (child.awaitOutputOrExit("child: ready")) {
            whileReady();
            child.tell("go");
        }
        assertThat(child.awaitExit(LONGEST_RUN)).as("ends: %s", child.output()).isTrue();
    }

    /** The child is about to begin, and waits. */
    void whileReady() throws Exception {}

    /** Goes on after the child's end. */
    abstract void goOn(CrashPointCheck check) throws Exception;

    @Override
    public void close() throws SQLException {}

    private static final class Nobody extends CrashPointSurvivor {
        Nobody(Path folder, Role role) {
            super(folder, role);
        }

        @Override
        void goOn(CrashPointCheck check) throws Exception {
            check.continuesWithNewEngine();
        }
    }

    private static final class Plain extends CrashPointSurvivor {
        private final Connection connection;

        Plain(Path folder, Role role) throws SQLException {
            super(folder, role);
            connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("app.db"));
            execute(connection, "PRAGMA busy_timeout=10000", "PRAGMA wal_autocheckpoint=0");
            SqliteFixture.query(connection, "SELECT n FROM total");
        }

        /** An engine alone captures what we write. */
        @Override
        void whileReady() throws SQLException {
            if (role == Role.ENGINE) {
                for (int i = 1; i <= 3; i++) {
                    History.append(connection, "beside-" + i);
                }
            }
        }

        /** Everything is copied back, so that the next writer begins the WAL anew: us, as soon as the engine has started. */
        @Override
        void goOn(CrashPointCheck check) throws Exception {
            History.append(connection, "survivor-1");
            History.append(connection, "survivor-2");
            execute(connection, "PRAGMA wal_checkpoint(PASSIVE)");
            try (Litestream litestream = EngineFixture.litestream()) {
                ManagedDatabase database = litestream.register(CrashPointChild.config(folder, folder, role));
                History.append(connection, "survivor-3");
                try (Connection own = EngineFixture.open(database)) {
                    check.continues(database, own);
                }
            }
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
        void goOn(CrashPointCheck check) throws Exception {
            if (database == null) { // the child did not come so far
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

        /** What the child left is captured before somebody writes over it. */
        @Override
        void goOn(CrashPointCheck check) throws Exception {
            database.sync(EngineFixture.TIMEOUT);
            check.continues(database, connection);
        }
    }
}
