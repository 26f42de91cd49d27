package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestorePoints;
import org.litestream4j.restore.RestoreProgress.Phase;
import org.litestream4j.restore.RestoreTarget;
import org.litestream4j.testing.SqliteFixture;

class InPlaceRestoreTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private DatabaseConfig config;
    private Litestream litestream;
    private ManagedDatabase database;
    private DataSource source;

    @BeforeEach
    void start() throws Exception {
        Path path = folder.resolve("app.db");
        config = DatabaseConfig.builder(
                        path,
                        ReplicaLocation.of(folder.resolve("replica").toUri().toString()))
                .build();
        litestream = Litestream.builder().build();
        database = litestream.register(config);
        source = database.wrap(SqliteFixture.dataSource(path));
    }

    @AfterEach
    void stop() {
        litestream.close();
    }

    @Test
    void earlierState_comesBackUnderOpenConnections_andCanBeUndone() throws Exception {
        try (Connection connection = source.getConnection()) {
            execute(connection, "create table t(x)", "insert into t values (1), (2), (zeroblob(300000))");
            database.sync(TIMEOUT);
            Txid good = database.status().replicated();
            execute(connection, "delete from t", "create table u(y)", "insert into u values (zeroblob(500000))");

            InPlaceRestoreResult result = database.restoreInPlace(to(good), TIMEOUT);

            assertThat(result.restored().txid()).isEqualTo(good);
            assertThat(query(connection, "select count(*) from t")).isEqualTo(3);
            assertThat(query(connection, "select count(*) from sqlite_schema where name = 'u'"))
                    .isZero();
            execute(connection, "insert into t values (4)");
            database.sync(TIMEOUT);
            assertThat(rows(RestoreTarget.latest(), "select count(*) from t")).isEqualTo(4);
            assertThat(rows(RestoreTarget.txid(result.before()), "select count(*) from u"))
                    .isEqualTo(1);

            database.restoreInPlace(to(result.before()), TIMEOUT);
            assertThat(query(connection, "select count(*) from t")).isZero();
            assertThat(query(connection, "select count(*) from u")).isEqualTo(1);
        }
        assertThat(config.metaPath().resolve("restore")).isEmptyDirectory();
    }

    @Test
    void busyClients_seeTheOldOrTheNewState_andGoOn() throws Exception {
        try (Connection connection = source.getConnection()) {
            execute(connection, "create table t(writer integer, n integer)", "create table big(x)");
            execute(connection, "insert into big values (randomblob(2000000))");
            database.sync(TIMEOUT);
        }
        Txid start = database.status().replicated();
        AtomicBoolean stop = new AtomicBoolean();
        ExecutorService clients = Executors.newFixedThreadPool(8);
        List<Future<Integer>> running = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            int writer = i;
            running.add(clients.submit(() -> write(writer, stop)));
        }
        try (Connection reader = source.getConnection()) {
            for (int i = 0; i < 3; i++) {
                Txid before = database.restoreInPlace(to(start), TIMEOUT).before();
                assertThat(query(reader, "select count(*) from big")).isEqualTo(1);
                assertThat(rows(RestoreTarget.txid(before), "select count(*) from big"))
                        .isEqualTo(1);
            }
        }
        stop.set(true);
        for (Future<Integer> each : running) {
            assertThat(each.get()).isPositive();
        }
        clients.shutdown();
        database.sync(TIMEOUT);
        assertThat(rows(RestoreTarget.latest(), "select count(*) from big")).isEqualTo(1);
    }

    private int write(int writer, AtomicBoolean stop) throws SQLException {
        int count = 0;
        try (Connection connection = source.getConnection()) {
            while (!stop.get()) {
                execute(connection, "insert into t values (" + writer + ", " + count++ + ")");
            }
        }
        return count;
    }

    @Test
    void writerThatNeverEnds_isReported_andNothingChanges() throws Exception {
        try (Connection connection = source.getConnection();
                Connection writer = source.getConnection()) {
            execute(connection, "create table t(x)");
            database.sync(TIMEOUT);
            Txid empty = database.status().replicated();
            execute(connection, "insert into t values (1)");
            database.sync(TIMEOUT);
            execute(writer, "begin immediate", "insert into t values (2)");
            assertThatThrownBy(() -> database.restoreInPlace(to(empty), Duration.ofSeconds(2)))
                    .isInstanceOf(LitestreamException.class)
                    .hasMessageContaining("nothing was changed")
                    .hasMessageContaining("end long transactions");
            execute(writer, "commit");
            assertThat(query(connection, "select count(*) from t")).isEqualTo(2);
            execute(connection, "insert into t values (3)");
            database.sync(TIMEOUT);
        }
    }

    @Test
    void cancelBeforeTheCopy_changesNothing_andLetsConnectionsGo() throws Exception {
        try (Connection connection = source.getConnection()) {
            execute(connection, "create table t(x)");
            database.sync(TIMEOUT);
            Txid empty = database.status().replicated();
            execute(connection, "insert into t values (1)");
            AtomicBoolean cancelled = new AtomicBoolean();
            RestoreOptions options = RestoreOptions.builder()
                    .target(RestoreTarget.txid(empty))
                    .listener(progress -> cancelled.set(progress.phase() == Phase.DONE))
                    .cancelled(cancelled::get)
                    .build();
            assertThatThrownBy(() -> database.restoreInPlace(options, TIMEOUT))
                    .isInstanceOf(LitestreamException.class)
                    .hasMessageContaining("cancelled, nothing was changed");
            assertThat(query(connection, "select count(*) from t")).isEqualTo(1);
            execute(connection, "insert into t values (2)");
        }
        assertThat(config.metaPath().resolve("restore")).isEmptyDirectory();
    }

    @Test
    void secondRestoreInPlace_isRefused_whileTheFirstRuns() throws Exception {
        try (Connection connection = source.getConnection()) {
            execute(connection, "create table t(x)");
            database.sync(TIMEOUT);
            List<String> refusals = new ArrayList<>();
            RestoreOptions options = RestoreOptions.builder()
                    .listener(progress -> refusals.add(refusal()))
                    .build();
            database.restoreInPlace(options, TIMEOUT);
            assertThat(refusals).isNotEmpty().allMatch(text -> text.contains("another restore is running"));
        }
    }

    private String refusal() {
        try {
            database.restoreInPlace(RestoreOptions.defaults(), TIMEOUT);
            return "";
        } catch (IOException | InterruptedException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /** Open connections would find each of their statements refused. */
    @Test
    void stateInAnotherTextEncoding_isRefused_andNothingChanges() throws Exception {
        try (Connection connection = source.getConnection()) {
            execute(connection, "create table t(x)", "insert into t values ('utf-8')");
        }
        database.sync(TIMEOUT);
        Txid good = database.status().replicated();
        litestream.unregister(database.name());
        for (String suffix : List.of("", "-wal", "-shm")) {
            Files.deleteIfExists(config.path().resolveSibling(config.path().getFileName() + suffix));
        }
        try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + config.path())) {
            execute(other, "pragma encoding='UTF-16le'", "create table t(x)", "insert into t values ('utf-16')");
        }
        database = litestream.register(DatabaseConfig.builder(config.path(), config.replica())
                .adoptReplica(true)
                .build());
        database.sync(TIMEOUT);
        assertThatThrownBy(() -> database.restoreInPlace(to(good), TIMEOUT))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("its text encoding is UTF-16le")
                .hasMessageContaining("nothing was changed");
        try (Connection connection =
                database.wrap(SqliteFixture.dataSource(config.path())).getConnection()) {
            assertThat(query(connection, "select count(*) from t where x = 'utf-16'"))
                    .isEqualTo(1);
        }
    }

    @Test
    void sideFileOfAKilledProcess_isDeletedAtTheStart() throws Exception {
        try (Connection connection = source.getConnection()) {
            execute(connection, "create table t(x)");
        }
        litestream.close();
        Path side =
                Files.createDirectories(config.metaPath().resolve("restore")).resolve("in-place.db");
        Files.writeString(side, "half");
        litestream = Litestream.builder().build();
        litestream.register(config);
        assertThat(side).doesNotExist();
    }

    @Test
    void otherFile_getsTheState_andTheDatabaseStaysAsItIs() throws Exception {
        try (Connection connection = source.getConnection()) {
            execute(connection, "create table t(x)");
            database.sync(TIMEOUT);
            Txid empty = database.status().replicated();
            execute(connection, "insert into t values (1)");
            database.sync(TIMEOUT);
            Path side = folder.resolve("side.db");
            assertThat(database.restoreTo(side, to(empty)).txid()).isEqualTo(empty);
            assertThat(SqliteFixture.integrity(side)).isEqualTo("ok");
            assertThat(query(connection, "select count(*) from t")).isEqualTo(1);
            assertThatThrownBy(() -> database.restoreTo(
                            config.path(), RestoreOptions.builder().force(true).build()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("in place");
        }
    }

    @Test
    void restorePoints_tellRangeAndLevels() throws Exception {
        assertThat(database.restorePoints()).isEqualTo(new RestorePoints(null, List.of()));
        try (Connection connection = source.getConnection()) {
            execute(connection, "create table t(x)");
            database.sync(TIMEOUT);
            execute(connection, "insert into t values (1)");
            database.sync(TIMEOUT);
        }
        database.snapshot(TIMEOUT);
        RestorePoints points = database.restorePoints();
        assertThat(points.range()).isNotNull();
        assertThat(points.range().latest()).isEqualTo(database.status().replicated());
        assertThat(points.range().earliest()).isLessThanOrEqualTo(points.range().latest());
        assertThat(points.levels()).extracting(RestorePoints.Level::level).contains(0, 9);
        for (RestorePoints.Level level : points.levels()) {
            assertThat(level.files()).isPositive();
            assertThat(level.bytes()).isPositive();
            assertThat(level.minTxid()).isLessThanOrEqualTo(level.maxTxid());
            assertThat(level.earliest()).isBeforeOrEqualTo(level.latest());
        }
    }

    private static RestoreOptions to(Txid txid) {
        return RestoreOptions.builder().target(RestoreTarget.txid(txid)).build();
    }

    private long rows(RestoreTarget target, String sql) throws Exception {
        Path restored = Files.createTempDirectory(folder, "restored").resolve("app.db");
        try (ReplicaClient client = Replicas.open(config.replica())) {
            Restore.restore(
                    client, restored, RestoreOptions.builder().target(target).build());
        }
        assertThat(SqliteFixture.integrity(restored)).isEqualTo("ok");
        try (Connection connection = SqliteFixture.dataSource(restored).getConnection()) {
            return query(connection, sql);
        }
    }
}
