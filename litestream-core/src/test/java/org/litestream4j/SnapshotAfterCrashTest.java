package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.sql.Connection;
import org.junit.jupiter.api.Test;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.ltx.Txid;
import org.litestream4j.testing.CaptureFixture;
import org.litestream4j.testing.EngineFixture;

/** After a crash, the database is read and compared before a snapshot is taken of it. */
class SnapshotAfterCrashTest extends EngineFixture {

    @Test
    void snapshotOfAnIdleDatabase_isTakenOnceItIsCompared() throws Exception {
        create("CREATE TABLE t(x)");
        try (Connection other = plain()) { // keeps the WAL
            execute(
                    other,
                    "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 20000)"
                            + " INSERT INTO t SELECT randomblob(1000) FROM s",
                    "PRAGMA wal_checkpoint(TRUNCATE)");
            Capture crashed = CaptureFixture.attach(folder, true);
            crashed.establishContinuity();
            crashed.image(Txid.NONE, false);
            execute(other, "INSERT INTO t VALUES (1)");
            crashed.capture();
            CaptureFixture.crash(crashed);

            try (Litestream litestream = litestream()) {
                ManagedDatabase database = litestream.register(
                        config().metaPath(folder.resolve("meta")).build());
                Txid snapshot = database.snapshot(TIMEOUT);
                assertThat(snapshot).isEqualTo(database.status().captured());
                assertThat(logged()).anyMatch(line -> line.startsWith("capture continues where it ended"));
            }
        }
        assertReplicaIsDatabase();
    }
}
