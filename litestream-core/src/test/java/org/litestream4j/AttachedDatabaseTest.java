package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.litestream4j.ltx.Txid;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.GatedReplicaProvider;
import org.litestream4j.testing.SqliteFixture;
import org.sqlite.SQLiteConfig.TransactionMode;
import org.sqlite.SQLiteDataSource;

/** What a wrapped connection writes to databases that it has attached. */
class AttachedDatabaseTest extends EngineFixture {

    private Path other;
    private Litestream litestream;
    private ManagedDatabase database;
    private GatedReplicaProvider.Control gate;

    @BeforeEach
    void begin() throws Exception {
        create("CREATE TABLE t(x)");
        other = folder.resolve("other.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + other)) {
            execute(connection, "PRAGMA journal_mode=WAL", "CREATE TABLE o(x)");
        }
        gate = GatedReplicaProvider.control(folder.resolve("other-replica"));
        litestream = litestream();
        database = litestream.register(config().build()); // commits do not wait
    }

    @AfterEach
    void end() {
        gate.open();
        litestream.close();
    }

    private Connection open(TransactionMode mode) throws SQLException {
        SQLiteDataSource source = SqliteFixture.dataSource(path);
        source.setTransactionMode(mode.getValue());
        return database.wrap(source).getConnection();
    }

    private static void script(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate(sql);
        }
    }

    private enum Way {
        STATEMENT {
            @Override
            void write(Connection connection, Path other) throws SQLException {
                execute(connection, "ATTACH '" + other + "' AS b", "INSERT INTO b.o VALUES (1)");
            }
        },
        PREPARED {
            @Override
            void write(Connection connection, Path other) throws SQLException {
                try (PreparedStatement attach = connection.prepareStatement("/* */ attach database ? as 'a b'")) {
                    attach.setString(
                            1,
                            other.getParent()
                                    .resolve("../" + other.getParent().getFileName() + "/other.db")
                                    .toString());
                    attach.execute();
                }
                try (PreparedStatement insert = connection.prepareStatement("INSERT INTO \"a b\".o VALUES (?)")) {
                    insert.setInt(1, 1);
                    insert.addBatch();
                    insert.executeBatch();
                }
            }
        },
        TRANSACTION {
            @Override
            void write(Connection connection, Path other) throws SQLException {
                execute(connection, "ATTACH '" + other + "' AS b");
                connection.setAutoCommit(false);
                execute(connection, "INSERT INTO t VALUES (1)", "INSERT INTO o VALUES (1)");
                connection.commit();
            }
        },
        SCRIPT {
            @Override
            void write(Connection connection, Path other) throws SQLException {
                script(connection, "ATTACH '" + other + "' AS b; INSERT INTO b.o VALUES (1)");
            }
        },
        DETACHED {
            @Override
            void write(Connection connection, Path other) throws SQLException {
                execute(connection, "ATTACH '" + other + "' AS b");
                script(connection, "INSERT INTO b.o VALUES (1); DETACH b");
            }
        },
        ATTACHED_FOR_ONE_SCRIPT {
            @Override
            void write(Connection connection, Path other) throws SQLException {
                script(connection, "ATTACH '" + other + "' AS b; INSERT INTO b.o VALUES (1); DETACH b");
            }
        },
        BATCH {
            @Override
            void write(Connection connection, Path other) throws SQLException {
                try (Statement statement = connection.createStatement()) {
                    statement.addBatch("ATTACH '" + other + "' AS b");
                    statement.addBatch("INSERT INTO b.o VALUES (1)");
                    statement.addBatch("DETACH b");
                    statement.executeBatch();
                }
            }
        },
        BACKUP_OF_DRIVER {
            @Override
            void write(Connection connection, Path other) throws SQLException {
                script(connection, "backup to '" + other + "'");
            }
        };

        abstract void write(Connection connection, Path other) throws SQLException;
    }

    @ParameterizedTest
    @EnumSource
    void writingToAReplicatedDatabase_waitsForItsReplica(Way way) throws Exception {
        try (Litestream another = litestream(); // any engine of the process
                Connection connection = open(TransactionMode.DEFERRED)) {
            ManagedDatabase attached = another.register(
                    DatabaseConfig.builder(other, GatedReplicaProvider.location(folder.resolve("other-replica")))
                            .durability(Durability.REPLICATED)
                            .durabilityTimeout(TIMEOUT)
                            .syncInterval(Duration.ofMillis(10))
                            .levels(List.of(NEVER))
                            .snapshotInterval(NEVER)
                            .build());
            attached.sync(TIMEOUT);
            Txid before = attached.status().replicated();
            int puts = gate.puts.get();
            gate.shut();
            CompletableFuture<Txid> commit = CompletableFuture.supplyAsync(() -> {
                try {
                    way.write(connection, other);
                    return attached.status().replicated();
                } catch (SQLException e) {
                    throw new AssertionError(e);
                }
            });
            await().atMost(TIMEOUT).until(() -> gate.puts.get() > puts);
            assertThat(commit).isNotDone();
            gate.open();
            assertThat(commit.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS)).isGreaterThan(before);
        }
    }

    @ParameterizedTest
    @CsvSource({"DEFERRED, true, 1", "DEFERRED, false, 1", "IMMEDIATE, false, 1", "DEFERRED, true, 400"})
    void walOfADatabaseThatIsNotReplicated_staysSmall(TransactionMode mode, boolean autoCommit, int rows)
            throws Exception {
        try (Connection connection = open(mode);
                Connection reader = DriverManager.getConnection("jdbc:sqlite:" + other)) {
            query(reader, "SELECT count(*) FROM o"); // else the last to close deletes the WAL
            execute(connection, "ATTACH '" + other + "' AS b", "PRAGMA b.synchronous=OFF");
            connection.setAutoCommit(autoCommit);
            long longest = 0;
            int commits = rows == 1 ? 6_000 : 40;
            try (PreparedStatement insert = connection.prepareStatement(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + rows
                            + ") INSERT INTO b.o SELECT zeroblob(3000) FROM n")) {
                for (int i = 0; i < commits; i++) {
                    insert.executeUpdate();
                    if (!autoCommit) {
                        connection.commit();
                    }
                    longest = Math.max(longest, walLength());
                }
            }
            assertThat(longest).isLessThan(13_000_000L); // 48 MB and more were written
            assertThat(query(reader, "SELECT count(*) FROM o")).isEqualTo((long) commits * rows);
        }
    }

    private long walLength() throws IOException {
        return Files.size(other.resolveSibling("other.db-wal"));
    }
}
