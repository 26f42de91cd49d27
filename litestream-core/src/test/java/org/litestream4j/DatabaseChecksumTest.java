package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.internal.capture.LostContinuityException;
import org.litestream4j.ltx.DatabaseChecksum;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.LtxWriter;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreResult;
import org.litestream4j.restore.RestoreTarget;
import org.litestream4j.testing.CaptureFixture;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.PagesOfReplica;
import org.litestream4j.testing.RandomWorkload;
import org.litestream4j.testing.SqliteFixture;
import org.litestream4j.testing.Truth;
import org.sqlite.SQLiteConfig;

/** Each captured state has a checksum, through crashes and restarts, and a restore compares. */
class DatabaseChecksumTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private Path path() {
        return folder.resolve("app.db");
    }

    private Path replica() {
        return folder.resolve("replica");
    }

    // Capture alone.

    private Connection writer() throws Exception {
        SQLiteConfig config = new SQLiteConfig();
        config.setBusyTimeout(10_000);
        Connection connection = config.createConnection("jdbc:sqlite:" + path());
        execute(connection, "PRAGMA journal_mode=WAL", "PRAGMA wal_autocheckpoint=0");
        return connection;
    }

    private void assertTrue(Capture capture, String description) throws Exception {
        while (capture.capture()) {
            // to the end
        }
        assertThat(capture.databaseChecksum()).as(description).hasValue(Truth.databaseChecksum(path()));
    }

    private boolean crashAndWrite(long seed, int pageSize, int megabytes) throws Exception {
        Random random = new Random(seed);
        String description = "seed " + seed;
        RandomWorkload workload = new RandomWorkload(random, 20 * pageSize);
        try (Connection writer = writer()) {
            execute(
                    writer,
                    "PRAGMA page_size=" + pageSize,
                    "PRAGMA journal_mode=DELETE",
                    "VACUUM",
                    "PRAGMA journal_mode=WAL",
                    "CREATE TABLE large(id INTEGER PRIMARY KEY, v)",
                    "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < " + megabytes * 1000
                            + ") INSERT INTO large SELECT n, randomblob(1000) FROM s",
                    "PRAGMA wal_checkpoint(TRUNCATE)");
            Capture first = CaptureFixture.attach(folder, true);
            assertThat(first.establishContinuity()).isEqualTo(Capture.Continuity.UNPROVEN);
            first.image(Txid.NONE, false);
            assertTrue(first, description);
            for (int i = random.nextInt(30); i >= 0; i--) {
                workload.step(writer);
                if (random.nextInt(3) > 0) {
                    assertTrue(first, description);
                }
                if (random.nextInt(3) == 0) {
                    first.checkpoint();
                }
            }
            CaptureFixture.crash(first);
            for (int i = random.nextInt(4); i > 0; i--) {
                workload.step(writer); // perhaps with a checkpoint
            }

            Capture second = CaptureFixture.attach(folder, true);
            boolean proven = second.establishContinuity() == Capture.Continuity.PROVEN;
            if (proven) {
                long due = second.completeChecksum();
                while (due >= 0) {
                    if (random.nextInt(3) == 0) {
                        workload.step(writer);
                    }
                    if (random.nextInt(4) == 0) {
                        second.capture();
                    }
                    if (random.nextInt(4) == 0) {
                        second.checkpoint();
                    }
                    due = second.completeChecksum();
                }
                for (int i = 0; i < 10; i++) {
                    assertTrue(second, description);
                    workload.step(writer);
                    second.checkpoint();
                }
            }
            CaptureFixture.crash(second);
            return proven;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 65536})
    void afterCrash_isFoundAgainWhileWritersGoOn(int pageSize) throws Exception {
        long seed = Long.getLong("fuzz.seed", System.nanoTime());
        int proven = 0;
        for (int i = 0; i < 20 && proven < 2; i++) {
            proven += crashAndWrite(seed + i, pageSize, 3) ? 1 : 0;
            Capture.closeUnusedFiles();
            SqliteFixture.deleteTree(folder);
            Files.createDirectories(folder);
        }
        assertThat(proven).as("seed " + seed).isEqualTo(2);
    }

    @Test
    @Tag("fuzz")
    void afterCrash_forLong() throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Long.getLong("fuzz.seconds", 60));
        Random seeds = new Random(Long.getLong("fuzz.seed", System.nanoTime()));
        int proven = 0;
        while (System.nanoTime() < end) {
            proven += crashAndWrite(seeds.nextLong(), 512 << seeds.nextInt(8), 3) ? 1 : 0;
            Capture.closeUnusedFiles();
            SqliteFixture.deleteTree(folder);
            Files.createDirectories(folder);
        }
        assertThat(proven).isPositive();
        org.slf4j.LoggerFactory.getLogger(getClass()).info("{} crashes went on without an image", proven);
    }

    /** The pages that are still unknown become known by commits, so that none is left to be read. */
    @Test
    void pageOverwrittenAfterACrash_isNoticedAlsoIfCommitsCompleteTheChecksum() throws Exception {
        FileChannel stranger; // closed last: that drops SQLite's locks
        try (Connection writer = writer()) {
            execute(
                    writer,
                    "CREATE TABLE t(x)",
                    "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 400)"
                            + " INSERT INTO t SELECT zeroblob(3500) FROM s",
                    "PRAGMA wal_checkpoint(TRUNCATE)",
                    "UPDATE t SET x = zeroblob(3501) WHERE rowid = 399"); // else checkpoints could not change the file
            Capture first = CaptureFixture.attach(folder, true);
            first.establishContinuity();
            first.image(Txid.NONE, false);
            execute(writer, "UPDATE t SET x = zeroblob(3501) WHERE rowid = 400");
            first.capture();
            CaptureFixture.crash(first);
            stranger = FileChannel.open(folder.resolve("app.db"), StandardOpenOption.WRITE);
            stranger.write(ByteBuffer.wrap(new byte[] {1}), 5 * 4096 - 100);

            Capture second = CaptureFixture.attach(folder, true);
            assertThat(second.establishContinuity()).isEqualTo(Capture.Continuity.PROVEN);
            long due = second.completeChecksum();
            for (long now = due; now <= due; now = second.completeChecksum()) {
                due = now; // it grows when a piece was read
            }
            execute(writer, "UPDATE t SET x = zeroblob(3502) WHERE rowid > 100");
            second.capture();
            assertThat(second.databaseChecksum()).isPresent();
            assertThat(second.isChecksumPending()).isTrue();
            assertThatThrownBy(second::completeChecksum).isInstanceOf(LostContinuityException.class);
            second.releaseLocalState();
        }
        stranger.close();
    }

    @Test
    void afterCleanStop_isKnownAtOnce() throws Exception {
        try (Connection writer = writer()) {
            execute(writer, "CREATE TABLE t(x)", "INSERT INTO t VALUES (randomblob(100000))");
            Capture first = CaptureFixture.attach(folder, true);
            first.establishContinuity();
            first.image(Txid.NONE, false);
            execute(writer, "INSERT INTO t VALUES (1)");
            first.finish();
            CaptureFixture.crash(first);

            Capture second = CaptureFixture.attach(folder, true);
            assertThat(second.establishContinuity()).isEqualTo(Capture.Continuity.PROVEN);
            assertTrue(second, "after a clean stop");
            assertThat(second.completeChecksum()).isNegative();
            second.finish();
            CaptureFixture.crash(second);

            byte[] saved = Files.readAllBytes(folder.resolve("meta/checksums"));
            saved[60] ^= 1;
            Files.write(folder.resolve("meta/checksums"), saved);
            Capture third = CaptureFixture.attach(folder, true);
            assertThat(third.establishContinuity()).isEqualTo(Capture.Continuity.PROVEN);
            while (third.completeChecksum() >= 0) {
                Thread.onSpinWait();
            }
            assertTrue(third, "computed again");
            CaptureFixture.crash(third);
        }
    }

    @Test
    void switchedOff_isNeverKnown() throws Exception {
        try (Connection writer = writer()) {
            execute(writer, "CREATE TABLE t(x)");
            Capture capture = CaptureFixture.attach(folder, false);
            capture.establishContinuity();
            capture.image(Txid.NONE, false);
            execute(writer, "INSERT INTO t VALUES (1)");
            capture.finish();
            assertThat(capture.databaseChecksum()).isEmpty();
            assertThat(capture.completeChecksum()).isNegative();
            for (LtxFileName name : capture.staging().list()) {
                assertThat(capture.staging().databaseChecksum(name)).isEmpty();
            }
            assertThat(folder.resolve("meta/checksums")).doesNotExist();
            CaptureFixture.crash(capture);
        }
    }

    @Test
    void fileChangedBehindSqlite_isFoundByASnapshot() throws Exception {
        try (Connection writer = writer()) {
            execute(writer, "CREATE TABLE t(x)", "INSERT INTO t VALUES (randomblob(100000))", "CREATE TABLE u(x)");
            execute(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
            Capture capture = CaptureFixture.attach(folder, true);
            capture.establishContinuity();
            capture.image(Txid.NONE, false);
            try (var image = capture.openImage()) {
                assertThat(image.write(() -> false)).isTrue();
                assertThat(capture.snapshots().databaseChecksum(image.name())).isEqualTo(capture.databaseChecksum());
            }
            try (var image = capture.openImage()) {
                execute(writer, "INSERT INTO t VALUES (1)");
                capture.capture();
                assertThat(image.write(() -> false)).isTrue(); // what is captured later does not matter
            }
            // An unfinished checkpoint: that the file changes means nothing then.
            Connection reader = writer();
            execute(reader, "BEGIN", "SELECT count(*) FROM t");
            execute(writer, "INSERT INTO t VALUES (2)");
            capture.finish();
            // another process, or SQLite's locks would be lost
            long at = 4096L * 10 + 2000; // in the blob
            Process dd = new ProcessBuilder(
                            "sh", "-c", "printf x | dd of=" + path() + " bs=1 seek=" + at + " conv=notrunc 2>/dev/null")
                    .start();
            assertThat(dd.waitFor()).isZero();
            try (var image = capture.openImage()) {
                assertThatThrownBy(() -> image.write(() -> false))
                        .isInstanceOfSatisfying(LostContinuityException.class, lost -> assertThat(lost.problem())
                                .contains(String.format(
                                        "%016x", capture.databaseChecksum().orElseThrow())));
                assertThat(capture.snapshots().list()).doesNotContain(image.name()); // known to be wrong
            }
            reader.close();
            CaptureFixture.crash(capture);
        }
    }

    // The engine.

    private DatabaseConfig.Builder config() {
        return DatabaseConfig.builder(
                        path(), ReplicaLocation.of(replica().toUri().toString()))
                .syncInterval(Duration.ofMillis(1))
                .levels(List.of(EngineFixture.NEVER, EngineFixture.NEVER.multipliedBy(2)));
    }

    private void replicate(DatabaseConfig config, boolean merged) throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path())).getConnection()) {
                execute(connection, "CREATE TABLE t(id INTEGER PRIMARY KEY, x)");
                for (int i = 1; i <= 6; i++) {
                    execute(connection, "INSERT INTO t(x) VALUES (randomblob(10000))");
                    database.sync(TIMEOUT);
                }
                if (merged) {
                    database.snapshot(TIMEOUT);
                    database.compact(TIMEOUT);
                }
            }
        }
    }

    private RestoreResult restore(RestoreTarget target, boolean compare) throws Exception {
        try (ReplicaClient client =
                Replicas.open(ReplicaLocation.of(replica().toUri().toString()))) {
            RestoreOptions options = RestoreOptions.builder()
                    .target(target)
                    .compareChecksum(compare)
                    .build();
            return Restore.restore(client, folder.resolve("restored.db"), options);
        }
    }

    @Test
    void everyFileOfTheReplica_hasTheChecksumOfItsLastTransaction() throws Exception {
        replicate(config().build(), true);
        PagesOfReplica pages = new PagesOfReplica(replica());
        int found = 0;
        try (ReplicaClient client =
                Replicas.open(ReplicaLocation.of(replica().toUri().toString()))) {
            List<LtxFileName> level0 = SqliteFixture.level0(replica());
            pages.applyTo(new Txid(1));
            assertThat(told(client, 9, LtxFileName.of(new Txid(1)))).hasValue(Truth.databaseChecksum(pages));
            for (LtxFileName name : level0) {
                pages.applyTo(name.max());
                long expected = Truth.databaseChecksum(pages);
                assertThat(told(client, 0, name)).as("0/" + name).hasValue(expected);
                for (int level : new int[] {1, 2, 9}) {
                    for (LtxFileName merged : SqliteFixture.level(replica(), level)) {
                        if (merged.max().equals(name.max())) {
                            assertThat(told(client, level, merged))
                                    .as(level + "/" + merged)
                                    .hasValue(expected);
                            found++;
                        }
                    }
                }
            }
        }
        assertThat(found).isGreaterThanOrEqualTo(2); // a merged file and a snapshot
        RestoreResult result = restore(RestoreTarget.latest(), true);
        assertThat(result.databaseChecksum()).hasValue(Truth.databaseChecksum(pages));
    }

    private static OptionalLong told(ReplicaClient client, int level, LtxFileName name) throws Exception {
        try (OpenedFile file = client.openFile(level, name, 0, 100)) {
            return file.databaseChecksum();
        }
    }

    /** Each of its checksums is right; only the content is of another state. */
    private static void forge(Path file) throws Exception {
        ByteArrayOutputStream forged = new ByteArrayOutputStream();
        try (LtxReader reader = LtxReader.open(Files.newInputStream(file), file.toString());
                LtxWriter writer = LtxWriter.open(forged, reader.header(), PageEncoding.BLOCK)) {
            boolean last = !reader.next();
            while (!last) {
                long pgno = reader.pgno();
                byte[] page = reader.page().clone();
                last = !reader.next();
                page[page.length - 1] ^= (byte) (last ? 1 : 0);
                writer.writePage(pgno, page);
            }
            writer.finish(0);
        }
        Files.write(file, forged.toByteArray()); // what is kept beside the file stays
    }

    @Test
    void forgedFile_isFoundByRestore() throws Exception {
        replicate(config().build(), false);
        List<LtxFileName> level0 = SqliteFixture.level0(replica());
        LtxFileName forged = level0.get(level0.size() - 3);
        forge(replica().resolve("ltx/0/" + forged));

        assertThatThrownBy(() -> restore(RestoreTarget.txid(forged.max()), true))
                .isInstanceOfSatisfying(RestoreException.class, e -> {
                    assertThat(e.reason()).isEqualTo(RestoreException.Reason.CHECKSUM);
                    assertThat(e.remedy()).contains("databaseChecksum=false");
                })
                .hasMessageContaining("0/" + forged)
                .hasMessageContaining(
                        DatabaseChecksum.text(DatabaseChecksum.of(replica().resolve("ltx/0/" + forged))
                                .orElseThrow()));
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString())).noneMatch(name -> name.contains("restored"));
        }

        RestoreResult before = restore(RestoreTarget.txid(forged.max().previous()), true);
        assertThat(before.databaseChecksum()).isPresent();
        Files.delete(before.target());
        RestoreResult asItIs = restore(RestoreTarget.txid(forged.max()), false);
        assertThat(asItIs.databaseChecksum()).isEmpty();
        assertThat(asItIs.txid()).isEqualTo(forged.max());
    }

    @Test
    void switchedOff_restoresWithoutComparing() throws Exception {
        replicate(config().databaseChecksum(false).build(), true);
        assertThat(restore(RestoreTarget.latest(), true).databaseChecksum()).isEmpty();
    }
}
