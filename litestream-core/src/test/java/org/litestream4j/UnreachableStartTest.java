package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.GatedReplicaProvider;

/** The replica has not been reached since the very first start. */
class UnreachableStartTest extends EngineFixture {

    private static final int ROUND = 2 << 20;

    @Test
    void walStaysShort_commitsAreHeld_andNothingIsLost() throws Exception {
        create("CREATE TABLE t(x)");
        GatedReplicaProvider.Control control = GatedReplicaProvider.control(replica);
        control.away = true;
        DatabaseConfig config = DatabaseConfig.builder(path, GatedReplicaProvider.location(replica))
                .syncInterval(Duration.ofMillis(10))
                .minCheckpointPages(100)
                .walLimitPages(1_000)
                .build();
        Path wal = Path.of(path + "-wal");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection = open(database);
                    Connection other = plain()) {
                for (int i = 0; i < 6; i++) {
                    execute(connection, "INSERT INTO t VALUES (randomblob(" + ROUND + "))");
                    await().atMost(Duration.ofSeconds(15)).until(() -> isCheckpointed(other));
                }
                assertThat(Files.size(wal)).isLessThan(2 * ROUND);
                assertThat(database.status().lag()).isPositive();
                assertThatThrownBy(() -> database.awaitReplicated(Duration.ofMillis(200)))
                        .isInstanceOf(ReplicationTimeoutException.class);
                control.away = false;
                database.sync(TIMEOUT);
                execute(connection, "INSERT INTO t VALUES (1)");
                database.sync(TIMEOUT);
            }
        }
        assertReplicaIsDatabase();
    }

    private static boolean isCheckpointed(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("PRAGMA wal_checkpoint(NOOP)")) {
            row.next();
            return row.getLong(2) == row.getLong(3);
        }
    }
}
