package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.SqliteFixture.execute;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.capture.Capture;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;

/** Whether captures may go on after a restart: capture alone, beside a connection that keeps the WAL. */
class ContinuityTest {

    @TempDir
    Path folder;

    private Path path() {
        return folder.resolve("app.db");
    }

    /** The WAL that was captured is gone; what was captured of each page is not. */
    @Test
    void walBegunAnewByAnother_isComparedPageByPage() throws Exception {
        try (Connection other = SqliteFixture.dataSource(path()).getConnection()) {
            execute(other, "PRAGMA journal_mode=WAL", "PRAGMA wal_autocheckpoint=0", "CREATE TABLE t(x)");
            execute(other, "CREATE TABLE big(x)", "INSERT INTO big VALUES (randomblob(100000))");
            Capture first = CaptureFixture.attach(folder, true);
            assertThat(first.judge()).isEqualTo(Capture.Continuity.UNPROVEN);
            first.image(Txid.NONE, false);
            first.finish();
            CaptureFixture.crash(first);
            execute(other, "INSERT INTO t VALUES (1)"); // begins the WAL anew

            Capture second = CaptureFixture.attach(folder, true);
            Txid before = second.captured();
            assertThat(second.judge()).isEqualTo(Capture.Continuity.PROVEN);
            assertThat(second.captured()).isEqualTo(before.next());
            Path difference = second.staging().path(LtxFileName.of(before.next()));
            assertThat(Files.size(difference)).isLessThan(10_000); // two of some thirty pages
            execute(other, "PRAGMA wal_checkpoint(PASSIVE)", "INSERT INTO t VALUES (2)");
            assertThat(second.capture()).isTrue();
            CaptureFixture.crash(second);

            Capture third = CaptureFixture.attach(folder, true);
            assertThat(third.judge()).isEqualTo(Capture.Continuity.PROVEN);
            CaptureFixture.crash(third);
        }
    }

    @Test
    void nothingWrittenSinceACleanStop_needsNoFile() throws Exception {
        try (Connection other = SqliteFixture.dataSource(path()).getConnection()) {
            execute(other, "PRAGMA journal_mode=WAL", "CREATE TABLE t(x)");
        }
        Capture first = CaptureFixture.attach(folder, true);
        first.judge();
        first.image(Txid.NONE, false);
        first.finish();
        CaptureFixture.crash(first); // the last connection: the WAL is gone
        Capture second = CaptureFixture.attach(folder, true);
        Txid before = second.captured();
        assertThat(second.judge()).isEqualTo(Capture.Continuity.PROVEN);
        assertThat(second.captured()).isEqualTo(before);
        assertThat(second.isContinuous()).isTrue();
        CaptureFixture.crash(second);
    }
}
