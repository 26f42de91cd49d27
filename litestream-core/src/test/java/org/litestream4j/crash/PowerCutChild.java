package org.litestream4j.crash;

import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.testing.EngineFixture;

/** Writes and replicates some transactions, leaves all of them in the WAL, and waits to be killed. */
final class PowerCutChild {

    static final int ROWS = 20;

    private PowerCutChild() {}

    public static void main(String[] args) throws Exception {
        Path path = Path.of(args[0]);
        try (Litestream litestream = EngineFixture.litestream()) {
            ManagedDatabase database = litestream.register(EngineFixture.config(path, Path.of(args[1]))
                    .checkpointInterval(Duration.ofHours(1))
                    .minCheckpointPages(100_000)
                    .walLimitPages(200_000)
                    .build());
            try (Connection connection = EngineFixture.open(database)) {
                execute(connection, "CREATE TABLE t(x)");
                for (int i = 0; i < ROWS; i++) {
                    execute(connection, "INSERT INTO t VALUES (zeroblob(5000))");
                    database.sync(Duration.ofSeconds(30));
                }
                System.out.println("child: ready");
                Thread.sleep(60_000);
            }
        }
    }
}
