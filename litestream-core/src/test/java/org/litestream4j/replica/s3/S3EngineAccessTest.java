package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.DatabaseState;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.Replicas;
import org.litestream4j.replica.s3.FaultProxy.Fault;
import org.litestream4j.replica.s3.FaultProxy.Seen;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.SqliteFixture;

/** The engine before a store that refuses, with the answers that Amazon gives: the user learns why, and loses nothing. */
class S3EngineAccessTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private static S3Server server;

    @TempDir
    Path folder;

    private FaultProxy proxy;

    private Path path;

    private DatabaseConfig config;

    @BeforeAll
    static void startServer() throws Exception {
        server = new S3Server();
    }

    @AfterAll
    static void stopServer() throws Exception {
        server.close();
    }

    @BeforeEach
    void open() throws Exception {
        proxy = new FaultProxy(server.port());
        path = folder.resolve("app.db");
        config = DatabaseConfig.builder(path, S3Server.location(proxy.port(), server.freshPath(), ""))
                .syncInterval(Duration.ofMillis(20))
                .levels(List.of(Duration.ofHours(1), Duration.ofHours(2)))
                .level0Retention(Duration.ZERO)
                .snapshotRetention(Duration.ZERO)
                .shutdownSyncTimeout(Duration.ofMillis(200))
                .build();
    }

    @AfterEach
    void close() throws Exception {
        proxy.close();
    }

    private void refuse(int status, String code, Predicate<Seen> which) {
        Fault answer = new Fault.Answer(
                status,
                "x-amz-bucket-region: eu-south-2\r\nx-amz-request-id: 4442587FB7D0A2F9\r\n",
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code
                        + "</Code><Message>as Amazon words it</Message>"
                        + "<RequestId>4442587FB7D0A2F9</RequestId><HostId>host</HostId></Error>");
        proxy.faults = request -> which.test(request) ? answer : FaultProxy.NONE;
    }

    private static void insert(Connection connection, int rows) throws Exception {
        execute(connection, "create table if not exists t(id integer primary key, x)");
        for (int i = 0; i < rows; i++) {
            execute(connection, "insert into t(x) values (randomblob(300))");
        }
    }

    private void assertReplicaHolds(long rows) throws Exception {
        Path restored = folder.resolve("restored.db");
        try (ReplicaClient client = Replicas.open(config.replica())) {
            Restore.restore(client, restored, RestoreOptions.defaults());
        }
        assertThat(restored).hasSameBinaryContentAs(path);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + restored)) {
            assertThat(query(connection, "select count(*) from t")).isEqualTo(rows);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "403, InvalidAccessKeyId, access-key-id",
        "403, SignatureDoesNotMatch, secret-access-key",
        "400, ExpiredToken, session-token",
        "403, RequestTimeTooSkewed, clock",
        "404, NoSuchBucket, create bucket backups",
        "301, PermanentRedirect, region=eu-south-2",
        "400, AuthorizationHeaderMalformed, region=eu-south-2",
        "403, AccessDenied, right to list",
    })
    void refusedAtTheStart_failsItAndLeavesTheDatabase(int status, String code, String remedy) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path)) {
            insert(connection, 10);
        }
        refuse(status, code, request -> true);
        try (Litestream litestream = Litestream.builder().build()) {
            assertThatThrownBy(() -> litestream.register(config))
                    .isInstanceOfSatisfying(ReplicaAccessException.class, e -> assertThat(e.remedy())
                            .contains(remedy))
                    .hasMessageContaining(status + " " + code);
        }
        proxy.faults = request -> FaultProxy.NONE;
        replicate(5);
        assertReplicaHolds(15);
    }

    private void replicate(int rows) throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                insert(connection, rows);
                database.sync(TIMEOUT);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"403, InvalidAccessKeyId", "404, NoSuchBucket", "301, PermanentRedirect", "403, AccessDenied"})
    void refusedBeforeARestore_givesNoEmptyDatabase(int status, String code) throws Exception {
        replicate(10);
        SqliteFixture.deleteTree(folder);
        refuse(status, code, request -> true);
        try (Litestream litestream = Litestream.builder().build()) {
            assertThatThrownBy(() -> litestream.restoreIfMissing(config)).isInstanceOf(ReplicaAccessException.class);
            assertThatThrownBy(() -> litestream.register(config)).isInstanceOf(ReplicaAccessException.class);
        }
        assertThat(path).doesNotExist();
        proxy.faults = request -> FaultProxy.NONE;
        try (Litestream litestream = Litestream.builder().build()) {
            assertThat(litestream.restoreIfMissing(config)).isPresent();
        }
        assertReplicaHolds(10);
    }

    @ParameterizedTest
    @CsvSource({
        "403, InvalidAccessKeyId, access-key-id",
        "400, ExpiredToken, session-token",
        "403, RequestTimeTooSkewed, clock",
        "404, NoSuchBucket, create bucket backups",
        "403, AccessDenied, right to write",
    })
    void writesRefusedLater_showInTheStatusAndAreMadeUpFor(int status, String code, String remedy) throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                insert(connection, 10);
                database.sync(TIMEOUT);
                refuse(status, code, request -> request.method().equals("PUT"));
                insert(connection, 10);
                await().atMost(TIMEOUT).until(() -> database.status().lastError() != null);
                insert(connection, 10); // the application is not held up
                DatabaseStatus refused = database.status();
                assertThat(refused.lastError())
                        .contains(remedy, config.replica().url().replaceFirst("\\?.*", ""));
                assertThat(refused.lastError()).doesNotContain(S3Server.SECRET_KEY);
                assertThat(refused.state()).isEqualTo(DatabaseState.REPLICATING);
                assertThat(refused.replicated()).isLessThan(refused.captured());
                proxy.faults = request -> FaultProxy.NONE;
                database.sync(TIMEOUT);
                await().atMost(TIMEOUT).until(() -> database.status().lastError() == null); // the lane is just behind
            }
        }
        assertReplicaHolds(30);
    }

    @Test
    void writesRefusedUntilTheEnd_areMadeUpForAfterTheRestart() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                insert(connection, 10);
                database.sync(TIMEOUT);
                refuse(403, "AccessDenied", request -> request.method().equals("PUT"));
                insert(connection, 10);
                await().atMost(TIMEOUT).until(() -> database.status().lastError() != null);
            }
        }
        proxy.faults = request -> FaultProxy.NONE;
        replicate(5);
        assertReplicaHolds(25);
    }

    @Test
    void deletesRefused_goOnReplicatingAndAreCounted() throws Exception {
        refuse(
                403,
                "AccessDenied",
                request -> request.method().equals("DELETE") || request.target().contains("?delete"));
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                for (int round = 0; round < 4; round++) {
                    insert(connection, 5);
                    database.sync(TIMEOUT);
                    database.snapshot(TIMEOUT);
                    database.compact(TIMEOUT);
                }
                await().atMost(TIMEOUT).until(() -> database.compaction().refused() > 0);
                assertThat(database.compaction().retentionProblem()).contains("right to delete");
                insert(connection, 5);
                database.sync(TIMEOUT);
            }
        }
        assertReplicaHolds(25);
    }
}
