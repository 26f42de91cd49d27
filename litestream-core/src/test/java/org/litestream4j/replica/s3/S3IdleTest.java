package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.testing.SqliteFixture;

/** A database that nobody writes to asks its store for nothing, however many of its intervals pass. */
class S3IdleTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    @Test
    void idle_sendsNoRequest() throws Exception {
        S3Server server = new S3Server();
        try (FaultProxy proxy = new FaultProxy(server.port())) {
            Path path = folder.resolve("app.db");
            DatabaseConfig config = DatabaseConfig.builder(path, S3Server.location(proxy.port(), "idle", ""))
                    .syncInterval(Duration.ofMillis(10))
                    .checkpointInterval(Duration.ofMillis(50))
                    .levels(List.of(Duration.ofSeconds(1), Duration.ofSeconds(2)))
                    .level0Retention(Duration.ofMillis(100))
                    .snapshotInterval(Duration.ofSeconds(1))
                    .snapshotRetention(Duration.ofMillis(500))
                    .build();
            try (Litestream litestream = Litestream.builder().build()) {
                ManagedDatabase database = litestream.register(config);
                try (Connection connection =
                        database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                    execute(connection, "create table t(x)");
                    for (int i = 0; i < 5; i++) {
                        execute(connection, "insert into t values (randomblob(1000))");
                        database.sync(TIMEOUT);
                    }
                    // The merges, snapshots and deletions that follow come to an end.
                    int[] before = {-1};
                    await().atMost(TIMEOUT)
                            .pollInterval(Duration.ofSeconds(3))
                            .until(() -> before[0] == (before[0] = proxy.seen.size()));
                    assertThat(query(connection, "select count(*) from t")).isEqualTo(5);
                    await().pollDelay(Duration.ofSeconds(4)) // four snapshots, six merges, four hundred syncs
                            .untilAsserted(() -> assertThat(proxy.seen).hasSize(before[0]));
                    execute(connection, "insert into t values (1)");
                    database.sync(TIMEOUT);
                    assertThat(proxy.seen).hasSizeGreaterThan(before[0]);
                }
            }
        } finally {
            server.close();
        }
    }
}
