package org.litestream4j.crash;

import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreTarget;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.SqliteFixture;

/** Restores in place while the write of the commit fails, and commits ten more rows. */
final class InPlaceWriteFaultChild {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private InPlaceWriteFaultChild() {}

    /** Database, replica, the file that arms the fault. */
    public static void main(String[] args) throws Exception {
        Path path = Path.of(args[0]);
        Path armed = Path.of(args[2]);
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(
                    EngineFixture.config(path, Path.of(args[1])).build());
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "CREATE TABLE t(x)", "INSERT INTO t VALUES (1), (randomblob(50000))");
                database.sync(TIMEOUT);
                Txid good = database.status().replicated();
                execute(connection, "INSERT INTO t VALUES (randomblob(80000))");
                database.sync(TIMEOUT);
                Files.createFile(armed);
                database.restoreInPlace(
                        RestoreOptions.builder()
                                .target(RestoreTarget.txid(good))
                                .build(),
                        TIMEOUT);
                System.out.println(Files.exists(armed) ? "no fault" : "fault fired");
                for (int i = 0; i < 10; i++) {
                    execute(connection, "INSERT INTO t VALUES (" + i + ")");
                }
                database.sync(TIMEOUT);
                System.out.println("rows " + query(connection, "SELECT count(*) FROM t"));
            }
        }
    }
}
