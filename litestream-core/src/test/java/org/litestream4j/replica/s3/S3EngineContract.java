package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.DatabaseState;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreTarget;
import org.litestream4j.testing.SqliteFixture;

/** Replication, compaction, retention and restore of a database over a store. */
abstract class S3EngineContract {

    private static final Duration TIMEOUT = Duration.ofMinutes(1);

    @TempDir
    Path folder;

    private ReplicaLocation location;

    /** Where nothing is. */
    abstract ReplicaLocation freshLocation();

    @BeforeEach
    void chooseLocation() {
        location = freshLocation();
    }

    @Test
    void replicateCompactRestart_restoreGivesTheSameBytes() throws Exception {
        Path path = folder.resolve("app.db");
        for (int start = 1; start <= 2; start++) {
            try (Litestream litestream = Litestream.builder().build()) {
                ManagedDatabase database = litestream.register(config(path));
                try (Connection connection =
                        database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                    execute(connection, "create table if not exists t(id integer primary key, x)");
                    for (int file = 0; file < 4; file++) {
                        insert(connection, 500);
                        database.sync(TIMEOUT);
                    }
                    database.compact(TIMEOUT);
                    insert(connection, 10_000); // more than a part
                    database.sync(TIMEOUT);
                    database.snapshot(TIMEOUT);
                    assertThat(database.validate(true).problems()).isEmpty();
                    insert(connection, 1); // goes with the last flush
                }
            }
        }
        Path restored = folder.resolve("restored.db");
        restore(restored, RestoreOptions.defaults());
        assertThat(restored).hasSameBinaryContentAs(path);
        assertThat(SqliteFixture.integrity(restored)).isEqualTo("ok");
        assertThat(rows(restored)).isEqualTo(2 * 12_001);
    }

    @Test
    void restoreByTime_findsTheMoment() throws Exception {
        Path path = folder.resolve("app.db");
        Instant moment;
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config(path));
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(id integer primary key, x)");
                insert(connection, 10);
                database.sync(TIMEOUT);
                moment = Instant.now();
                await().until(() -> Instant.now().isAfter(moment.plusMillis(20)));
                insert(connection, 10);
                database.sync(TIMEOUT);
            }
        }
        Path restored = folder.resolve("restored.db");
        restore(
                restored,
                RestoreOptions.builder().target(RestoreTarget.timestamp(moment)).build());
        assertThat(rows(restored)).isEqualTo(10);
    }

    @Test
    void secondWriter_theFirstStopsAndTheReplicaStaysWhole() throws Exception {
        Path path = folder.resolve("app.db");
        Path other = folder.resolve("other.db");
        try (Litestream litestream = Litestream.builder().build();
                Litestream elsewhere = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config(path));
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(id integer primary key, x)");
                insert(connection, 10);
                database.sync(TIMEOUT);
                elsewhere.restoreIfMissing(config(other));
                ManagedDatabase second = elsewhere.register(config(other));
                try (Connection there =
                        second.wrap(SqliteFixture.dataSource(other)).getConnection()) {
                    insert(there, 10);
                    second.sync(TIMEOUT);
                }
                insert(connection, 10);
                await().atMost(TIMEOUT).until(() -> database.status().state() == DatabaseState.CONFLICT);
            }
        }
        Path restored = folder.resolve("restored.db");
        restore(restored, RestoreOptions.defaults());
        assertThat(restored).hasSameBinaryContentAs(other);
    }

    private DatabaseConfig config(Path path) {
        return DatabaseConfig.builder(path, location)
                .levels(List.of(Duration.ofHours(1), Duration.ofHours(2))) // merged when the test asks for it
                .syncInterval(Duration.ofMillis(100))
                .shutdownSyncTimeout(TIMEOUT)
                .build();
    }

    private void restore(Path target, RestoreOptions options) throws Exception {
        try (ReplicaClient replica = Replicas.open(location)) {
            Restore.restore(replica, target, options);
        }
    }

    private static long rows(Path database) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
            return query(connection, "select count(*) from t");
        }
    }

    private static void insert(Connection connection, int rows) throws Exception {
        execute(
                connection,
                "with recursive n(i) as (select 1 union all select i + 1 from n where i < " + rows
                        + ") insert into t(x) select randomblob(700) from n");
    }
}
