package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.sql.Connection;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.litestream4j.testing.EngineFixture;

/** A transaction that went to the WAL before its end and was rolled back leaves valid frames there that mean nothing. */
class RolledBackFramesTest extends EngineFixture {

    @Test
    void rolledBackFrames_areNoLagAndNeedNoImageAfterAStop() throws Exception {
        create("CREATE TABLE t(x)");
        for (int i = 0; i < 2; i++) {
            try (Litestream litestream = litestream()) {
                ManagedDatabase database = litestream.register(
                        config().checkpointInterval(Duration.ofHours(1)).build());
                try (Connection connection = open(database)) {
                    execute(connection, "INSERT INTO t VALUES (1)");
                    database.sync(TIMEOUT);
                    execute(
                            connection,
                            "PRAGMA cache_size=4",
                            "BEGIN IMMEDIATE",
                            "INSERT INTO t SELECT zeroblob(100000) FROM t",
                            "INSERT INTO t SELECT zeroblob(100000) FROM t",
                            "ROLLBACK");
                    await().atMost(TIMEOUT).until(() -> database.status().lag().isZero());
                }
            }
        }
        assertThat(images()).as("the second start went on").isEqualTo(1);
        assertReplicaIsDatabase();
    }
}
