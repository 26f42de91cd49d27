package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.level;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.SqliteFixture;

/** Levels and snapshots as the engine makes them. */
class CompactionEngineTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private Path path;
    private Path replica;
    private ReplicaLocation location;
    private DatabaseConfig config;

    @BeforeEach
    void configure() {
        path = folder.resolve("app.db");
        replica = folder.resolve("replica");
        location = ReplicaLocation.of(replica.toUri().toString());
        config = DatabaseConfig.builder(path, location)
                .syncInterval(Duration.ofMillis(1))
                .levels(List.of(
                        EngineFixture.NEVER, EngineFixture.NEVER.multipliedBy(2))) // merged when the tests ask for it
                .snapshotInterval(EngineFixture.NEVER)
                .build();
    }

    @Test
    void firstImage_isTheSnapshotAndLevelZeroFollows() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(x)", "insert into t values (zeroblob(100000))");
                database.sync(TIMEOUT);
            }
        }
        assertThat(level(replica, 9)).containsExactly(LtxFileName.of(new Txid(1)));
        List<LtxFileName> level0 = level(replica, 0);
        assertThat(level0.get(0)).isEqualTo(LtxFileName.of(new Txid(2)));
        assertThat(SqliteFixture.pages(replica, level0.get(0))).isEqualTo(1);
        assertRestored(1);
    }

    @Test
    void crashBetweenTheTwoUploads_goesOnWithoutImage() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(x)", "insert into t values (zeroblob(100000))");
                database.sync(TIMEOUT);
            }
        }
        Map<LtxFileName, Integer> pages = new TreeMap<>();
        for (LtxFileName name : level(replica, 0)) {
            pages.put(name, SqliteFixture.pages(replica, name));
            Files.delete(replica.resolve("ltx/0/" + name)); // as if none of them had been uploaded yet
        }
        try (Litestream litestream = Litestream.builder().build()) {
            litestream.register(config).sync(TIMEOUT);
        }
        assertThat(level(replica, 9)).containsExactly(LtxFileName.of(new Txid(1)));
        assertThat(level(replica, 0)).startsWith(pages.keySet().toArray(new LtxFileName[0]));
        for (var file : pages.entrySet()) {
            assertThat(SqliteFixture.pages(replica, file.getKey())).isEqualTo(file.getValue());
        }
        assertRestored(1);
    }

    @Test
    void snapshot_isTakenWhileWritersGoOn() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(x)");
                for (int i = 0; i < 50; i++) {
                    execute(connection, "insert into t values (randomblob(10000))");
                    database.sync(TIMEOUT);
                    if (i % 10 == 9) {
                        Txid snapshot = database.snapshot(TIMEOUT);
                        assertThat(snapshot).isEqualTo(database.status().replicated());
                    }
                }
                Txid before = database.snapshot(TIMEOUT);
                assertThat(before).isEqualTo(database.compaction().newestSnapshot());
            }
        }
        assertThat(level(replica, 9)).hasSize(6);
        assertRestored(50);
        for (LtxFileName name : level(replica, 0)) {
            Files.delete(replica.resolve("ltx/0/" + name));
        }
        assertRestored(50);
    }

    @Test
    void compact_mergesAllLevels() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(x)");
                for (int round = 0; round < 2; round++) {
                    for (int i = 0; i < 10; i++) {
                        execute(connection, "insert into t values (" + i + ")");
                        database.sync(TIMEOUT);
                    }
                    database.compact(TIMEOUT);
                }
                assertThat(database.validate(true).problems()).isEmpty();
            }
        }
        assertThat(level(replica, 1)).hasSize(2);
        assertThat(level(replica, 1).get(0).min()).isEqualTo(new Txid(2));
        assertThat(level(replica, 2)).hasSize(1);
        assertRestored(20);
    }

    /** As a writer leaves it that was killed before it heard that its merge was published. */
    @Test
    void compact_whoseNameIsTaken_isDoneOnlyWhenAllIsMerged() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(x)");
                database.sync(TIMEOUT);
                execute(connection, "insert into t values (0)");
                database.compact(TIMEOUT);
                Txid merged = level(replica, 1).get(0).max();
                List<LtxFileName> next = new ArrayList<>();
                for (int i = 1; i < 10; i++) {
                    execute(connection, "insert into t values (" + i + ")");
                    database.sync(TIMEOUT);
                    next.add(LtxFileName.of(database.status().replicated()));
                }
                assertThat(next.get(0).min()).isEqualTo(merged.next());
                SqliteFixture.merge(replica, 0, next, 1);
                database.compact(TIMEOUT);
                assertThat(level(replica, 1)).hasSize(2);
                assertThat(level(replica, 2))
                        .containsExactly(new LtxFileName(
                                new Txid(2), next.get(next.size() - 1).max()));
            }
        }
        assertRestored(10);
    }

    @Test
    void changedPageSize_getsASnapshotAtOnce() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(x)", "insert into t values (zeroblob(100000))");
                database.sync(TIMEOUT);
            }
        }
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path)) {
            execute(connection, "pragma journal_mode=delete", "pragma page_size=1024", "vacuum");
        }
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            database.sync(TIMEOUT);
            await().atMost(TIMEOUT)
                    .until(() -> database.compaction().newestSnapshot().isAfter(new Txid(1)));
            assertThat(database.compaction().newestSnapshot())
                    .isEqualTo(database.status().replicated());
        }
        assertRestored(1);
    }

    @Test
    void damagedFile_isHealedByASnapshot() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(x)");
                for (int i = 0; i < 10; i++) {
                    execute(connection, "insert into t values (" + i + ")");
                    database.sync(TIMEOUT);
                }
                LtxFileName damaged = LtxFileName.of(new Txid(6));
                Files.delete(config.metaPath().resolve("ltx/0/" + damaged));
                Path file = replica.resolve("ltx/0/" + damaged);
                byte[] content = Files.readAllBytes(file);
                content[content.length - 1] ^= 1;
                Files.write(file, content);
                assertThatThrownBy(() -> database.compact(TIMEOUT)).isInstanceOf(LitestreamException.class);
                await().atMost(TIMEOUT)
                        .until(() -> database.compaction().newestSnapshot().isAfter(damaged.max()));
                await().atMost(TIMEOUT).until(() -> level(replica, 1).size() == 2);
                await().atMost(TIMEOUT).until(() -> database.status().lastError() == null);
            }
        }
        assertRestored(10);
    }

    private void assertRestored(int rows) throws Exception {
        Path restored = folder.resolve("restored-" + System.nanoTime() + ".db");
        try (ReplicaClient client = Replicas.open(location)) {
            Restore.restore(client, restored, RestoreOptions.defaults());
        }
        assertThat(restored).hasSameBinaryContentAs(path);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + restored)) {
            assertThat(query(connection, "select count(*) from t")).isEqualTo(rows);
        }
    }
}
