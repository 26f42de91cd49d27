package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.testing.CaptureFixture;
import org.litestream4j.testing.FaultyFiles;
import org.litestream4j.testing.SqliteFixture;

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
            assertThat(first.establishContinuity()).isEqualTo(Capture.Continuity.UNPROVEN);
            first.image(Txid.NONE, false);
            first.finish();
            CaptureFixture.crash(first);
            execute(other, "INSERT INTO t VALUES (1)"); // begins the WAL anew

            Capture second = CaptureFixture.attach(folder, true);
            Txid before = second.captured();
            assertThat(second.establishContinuity()).isEqualTo(Capture.Continuity.PROVEN);
            assertThat(second.captured()).isEqualTo(before.next());
            Path difference = second.staging().path(LtxFileName.of(before.next()));
            assertThat(Files.size(difference)).isLessThan(10_000); // two of some thirty pages
            execute(other, "PRAGMA wal_checkpoint(PASSIVE)", "INSERT INTO t VALUES (2)");
            assertThat(second.capture()).isTrue();
            CaptureFixture.crash(second);

            Capture third = CaptureFixture.attach(folder, true);
            assertThat(third.establishContinuity()).isEqualTo(Capture.Continuity.PROVEN);
            CaptureFixture.crash(third);
        }
    }

    @Test
    void nothingWrittenSinceACleanStop_needsNoFile() throws Exception {
        try (Connection other = SqliteFixture.dataSource(path()).getConnection()) {
            execute(other, "PRAGMA journal_mode=WAL", "CREATE TABLE t(x)");
        }
        Capture first = CaptureFixture.attach(folder, true);
        first.establishContinuity();
        first.image(Txid.NONE, false);
        first.finish();
        CaptureFixture.crash(first); // the last connection: the WAL is gone
        Capture second = CaptureFixture.attach(folder, true);
        Txid before = second.captured();
        assertThat(second.establishContinuity()).isEqualTo(Capture.Continuity.PROVEN);
        assertThat(second.captured()).isEqualTo(before);
        assertThat(second.isContinuous()).isTrue();
        CaptureFixture.crash(second);
    }

    /** The frame at the position belongs to another WAL by the time it is read: nothing was missed. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void walBegunAnewDuringALook_isNotALoss(int read) throws Exception {
        FaultyFiles files = new FaultyFiles(1);
        try (Connection other = SqliteFixture.dataSource(path()).getConnection()) {
            execute(other, "PRAGMA journal_mode=WAL", "PRAGMA wal_autocheckpoint=0", "CREATE TABLE t(x)");
            Capture capture = CaptureFixture.attach(files.path(folder), true);
            capture.establishContinuity();
            capture.image(Txid.NONE, false);
            execute(other, "INSERT INTO t VALUES (1)");
            capture.checkpointNow(); // the next commit begins the WAL anew
            Txid before = capture.captured();

            AtomicInteger reads = new AtomicInteger();
            files.beforeRead(at -> {
                if (reads.incrementAndGet() == read) {
                    commit(other);
                }
            });
            capture.hasMore();
            files.beforeRead(at -> {});
            if (reads.get() < read) {
                commit(other);
            }
            assertThat(capture.capture()).isTrue();
            assertThat(capture.captured()).isEqualTo(before.next());
            CaptureFixture.crash(capture);
        }
    }

    /** Of more frames than there were before. */
    private static void commit(Connection connection) {
        try {
            execute(connection, "INSERT INTO t VALUES (randomblob(50000))");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
