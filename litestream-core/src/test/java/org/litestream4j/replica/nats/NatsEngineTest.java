package org.litestream4j.replica.nats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.SqliteFixture;

/** Replication, compaction and restore over a NATS server that is killed and comes back. */
class NatsEngineTest {

    private static final Duration TIMEOUT = Duration.ofMinutes(1);

    @TempDir
    Path folder;

    private Path path;
    private NatsServer server;

    @BeforeEach
    void startServer() {
        path = folder.resolve("app.db");
        server = NatsServer.start(folder.resolve("nats"));
    }

    @AfterEach
    void stopServer() {
        if (server != null) {
            server.close();
        }
    }

    @Test
    void replicate_serverKilledMeanwhile_losesNothing() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config());
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(id integer primary key, x)");
                insert(connection, 1000);
                database.sync(TIMEOUT);
                server.kill();
                insert(connection, 1000); // the application does not notice
                server.start();
                insert(connection, 1000);
                database.sync(TIMEOUT);
            }
        }
        assertRestored("restored.db", 3000);
    }

    @Test
    void compactAndSnapshot_serverKilledMeanwhile_succeedAfterwards() throws Exception {
        Txid snapshot;
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config());
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(id integer primary key, x)");
                for (int round = 0; round < 3; round++) {
                    for (int file = 0; file < 4; file++) {
                        insert(connection, 2000);
                        execute(connection, "update t set x = randomblob(200) where id % 7 = " + file);
                        database.sync(TIMEOUT);
                    }
                    killDuring(() -> database.compact(TIMEOUT));
                    insert(connection, 1000);
                    killDuring(() -> database.snapshot(TIMEOUT));
                }
                database.compact(TIMEOUT);
                snapshot = database.compaction().newestSnapshot();
                assertThat(database.validate(true).problems()).isEmpty();
            }
        }
        assertRestored("restored.db", 27_000);
        try (ReplicaClient replica = Replicas.open(location())) {
            assertThat(newest(replica, ReplicaClient.SNAPSHOT_LEVEL)).isEqualTo(snapshot);
            deleteUpTo(
                    replica, 0, newest(replica, 1)); // a single file is not merged, so level 2 may end before level 1
            deleteUpTo(replica, 1, newest(replica, 2));
            deleteUpTo(replica, ReplicaClient.SNAPSHOT_LEVEL, snapshot);
        }
        assertRestored("from-merged.db", 27_000); // the first image and what was merged
    }

    /** The server dies while a step runs, at whatever point it has reached, and comes back; the step must succeed then. */
    private void killDuring(Step step) throws Exception {
        CompletableFuture<Void> first = CompletableFuture.runAsync(() -> {
            try {
                step.run();
            } catch (Exception e) {
                throw new CompletionException(e);
            }
        });
        server.kill();
        server.start();
        try {
            first.get(TIMEOUT.toSeconds() * 2, TimeUnit.SECONDS);
        } catch (ExecutionException e) { // told, and begun again
            assertThat(e).cause().isInstanceOf(IOException.class);
        }
        await().atMost(TIMEOUT).ignoreExceptionsInstanceOf(IOException.class).until(() -> {
            step.run();
            return true;
        });
    }

    private interface Step {
        void run() throws Exception;
    }

    private static List<LtxFileName> names(ReplicaClient replica, int level) throws IOException {
        List<LtxFileName> names = new ArrayList<>();
        replica.list(level, Txid.NONE, file -> names.add(file.name()));
        return names;
    }

    /** All files that end at or before a transaction, but for the first image. */
    private static void deleteUpTo(ReplicaClient replica, int level, Txid newest) throws IOException {
        List<LtxFileName> files = names(replica, level);
        files.removeIf(
                file -> file.equals(LtxFileName.of(new Txid(1))) || file.max().isAfter(newest));
        assertThat(files).isNotEmpty();
        replica.delete(level, files);
    }

    private static Txid newest(ReplicaClient replica, int level) throws IOException {
        List<LtxFileName> names = names(replica, level);
        return names.get(names.size() - 1).max();
    }

    private ReplicaLocation location() {
        return new ReplicaLocation(
                "nats://" + server.address() + "/backups",
                Map.of("create-bucket", "true", "timeout", "2s", "reconnect-wait", "100ms"));
    }

    private DatabaseConfig config() {
        return DatabaseConfig.builder(path, location())
                .levels(List.of(Duration.ofHours(1), Duration.ofHours(2))) // merged when the test asks for it
                .build();
    }

    /** The closed database and what is restored are equal byte for byte. */
    private void assertRestored(String name, long rows) throws Exception {
        Path restored = folder.resolve(name);
        try (ReplicaClient replica = Replicas.open(location())) {
            Restore.restore(replica, restored, RestoreOptions.defaults());
        }
        assertThat(restored).hasSameBinaryContentAs(path);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + restored)) {
            assertThat(query(connection, "select count(*) from t")).isEqualTo(rows);
        }
        assertThat(SqliteFixture.integrity(restored)).isEqualTo("ok");
    }

    private static void insert(Connection connection, int rows) throws Exception {
        execute(
                connection,
                "with recursive n(i) as (select 1 union all select i + 1 from n where i < " + rows
                        + ") insert into t(x) select randomblob(200) from n");
    }
}
