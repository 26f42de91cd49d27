package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;
import static org.litestream4j.testing.SqliteFixture.text;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.internal.capture.CaptureException;
import org.litestream4j.internal.capture.LocalState;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.FaultyFiles;
import org.litestream4j.testing.SqliteFixture;

class PauseTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private Path path;
    private DatabaseConfig config;

    @BeforeEach
    void configure() {
        path = folder.resolve("app.db");
        config = DatabaseConfig.builder(
                        path,
                        ReplicaLocation.of(folder.resolve("replica").toUri().toString()))
                .build();
    }

    @Test
    void pausedDatabase_canChangeItsPageSize_andGoesOn() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(x)", "insert into t values (zeroblob(100000))");
                database.sync(TIMEOUT);
                assertThatThrownBy(() -> execute(connection, "pragma journal_mode=delete"))
                        .hasMessageContaining("locked");

                database.pause(TIMEOUT);
                assertThat(database.status().state()).isEqualTo(DatabaseState.PAUSED);
                assertThat(text(connection, "pragma journal_mode=delete")).isEqualTo("delete");
                execute(connection, "pragma page_size=8192", "vacuum", "insert into t values (2)");

                database.resume();
                await().atMost(TIMEOUT).until(() -> database.status().state() == DatabaseState.REPLICATING);
                execute(connection, "insert into t values (3)");
                database.sync(TIMEOUT);
                assertThat(text(connection, "pragma journal_mode")).isEqualTo("wal");
            }
        }
        Path restored = folder.resolve("restored.db");
        try (ReplicaClient client = Replicas.open(config.replica())) {
            assertThat(Restore.restore(client, restored, RestoreOptions.defaults())
                            .pageSize())
                    .isEqualTo(8192);
        }
        try (Connection connection = SqliteFixture.dataSource(restored).getConnection()) {
            assertThat(query(connection, "select count(*) from t")).isEqualTo(3);
        }
    }

    @Test
    void pauseWhileASnapshotIsRead_awaitsTheEndOfItsReader() throws Exception {
        FaultyFiles files = new FaultyFiles(1);
        config = DatabaseConfig.builder(path, config.replica())
                .metaPath(files.path(config.metaPath()))
                .build();
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(x)", "insert into t values (randomblob(1000000))");
                database.sync(TIMEOUT);
                database.snapshot(TIMEOUT);
                execute(connection, "insert into t values (1)");
                files.hangWrites(
                        folder.resolve(".app.db-litestream").resolve("ltx").resolve("9"));
                CompletableFuture<Txid> snapshot = CompletableFuture.supplyAsync(() -> snapshot(database));
                await().atMost(TIMEOUT).until(files::isWaiting);
                try {
                    assertThatThrownBy(() -> database.pause(Duration.ofMillis(500)))
                            .isInstanceOf(LitestreamException.class)
                            .hasMessageContaining("not paused");
                    assertThat(database.status().state()).isNotEqualTo(DatabaseState.PAUSED);
                } finally {
                    files.release();
                }
                database.pause(TIMEOUT);
                assertThat(database.status().state()).isEqualTo(DatabaseState.PAUSED);
                assertThat(text(connection, "pragma journal_mode=delete")).isEqualTo("delete");
                assertThat(text(connection, "pragma journal_mode=wal")).isEqualTo("wal");

                database.resume();
                assertThat(snapshot.get(30, TimeUnit.SECONDS)).isNotNull(); // taken after the pause
            }
        }
    }

    private static Txid snapshot(ManagedDatabase database) {
        try {
            return database.snapshot(TIMEOUT);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void resumeWithoutChange_goesOnWithoutImage() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(x)", "insert into t values (zeroblob(100000))");
                database.sync(TIMEOUT);
                database.pause(TIMEOUT);
                database.resume();
                execute(connection, "insert into t values (2)");
                database.sync(TIMEOUT);
            }
        }
        List<org.litestream4j.ltx.LtxFileName> names = SqliteFixture.level0(folder.resolve("replica"));
        assertThat(SqliteFixture.pages(folder.resolve("replica"), names.get(names.size() - 1)))
                .isLessThan(5);
    }

    @Test
    void reset_isRefusedWhileReplicating_andDeletesAfterwards() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(x)");
                database.sync(TIMEOUT);
                assertThatThrownBy(() -> LocalState.reset(path, config.metaPath(), false))
                        .isInstanceOf(CaptureException.class)
                        .hasMessageContaining("stop it");
            }
        }
        List<Path> wouldGo = LocalState.reset(path, config.metaPath(), true);
        assertThat(wouldGo).isNotEmpty().allSatisfy(file -> assertThat(file).exists());
        assertThat(LocalState.reset(path, config.metaPath(), false)).isEqualTo(wouldGo);
        assertThat(wouldGo).noneMatch(Files::exists);
        assertThat(path).exists();
        try (Litestream litestream = Litestream.builder().build()) {
            litestream.register(config).sync(TIMEOUT); // begins anew
        }
    }
}
