package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.SqliteFixture.execute;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.sql.Connection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.capture.Capture;
import org.litestream4j.ltx.Txid;

/** Whether captures may go on after a restart: capture alone, beside a connection that keeps the WAL. */
class ContinuityTest {

    @TempDir
    Path folder;

    private Path path() {
        return folder.resolve("app.db");
    }

    @Test
    void committedBeforeTheStart_andCheckpointedByAnother_isNotTakenForAnOverwrittenFile() throws Exception {
        try (Connection other = SqliteFixture.dataSource(path()).getConnection()) {
            execute(other, "PRAGMA journal_mode=WAL", "PRAGMA wal_autocheckpoint=0", "CREATE TABLE t(x)");
            Capture first = CaptureFixture.attach(folder, false);
            assertThat(first.judge()).isEqualTo(Capture.Continuity.UNPROVEN);
            first.image(Txid.NONE, false);
            first.finish();
            CaptureFixture.crash(first);
            execute(other, "INSERT INTO t VALUES (1)"); // begins the WAL anew

            Capture second = CaptureFixture.attach(folder, false);
            assertThat(second.judge()).isEqualTo(Capture.Continuity.PROVEN);
            FileTime before = Files.getLastModifiedTime(path());
            execute(other, "PRAGMA wal_checkpoint(PASSIVE)"); // up to the mark of our reader
            assertThat(Files.getLastModifiedTime(path())).isNotEqualTo(before);
            execute(other, "INSERT INTO t VALUES (2)");
            assertThat(second.capture()).isTrue();
            CaptureFixture.crash(second);

            Capture third = CaptureFixture.attach(folder, false);
            assertThat(third.judge()).isEqualTo(Capture.Continuity.PROVEN);
            CaptureFixture.crash(third);
        }
    }
}
