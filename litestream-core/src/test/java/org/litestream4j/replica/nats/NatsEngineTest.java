package org.litestream4j.replica.nats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.SqliteFixture.execute;
import static org.litestream4j.SqliteFixture.query;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.SqliteFixture;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;

/** A database that goes on while its NATS server is away, and comes back whole. */
class NatsEngineTest {

    private static final Duration TIMEOUT = Duration.ofMinutes(1);

    @TempDir
    Path folder;

    private NatsServer server;

    @BeforeEach
    void startServer() {
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
        Path path = folder.resolve("app.db");
        ReplicaLocation location = new ReplicaLocation(
                "nats://" + server.address() + "/backups",
                Map.of("create-bucket", "true", "timeout", "2s", "reconnect-wait", "100ms"));
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database =
                    litestream.register(DatabaseConfig.builder(path, location).build());
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
        Path restored = folder.resolve("restored.db");
        try (ReplicaClient replica = Replicas.open(location)) {
            Restore.restore(replica, restored, RestoreOptions.defaults());
        }
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + restored)) {
            assertThat(query(connection, "select count(*) from t")).isEqualTo(3000);
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
