package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.DatabaseChecksum;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.testing.PagesOfReplica;
import org.litestream4j.testing.RandomWorkload;
import org.litestream4j.testing.SqliteFixture;
import org.litestream4j.testing.Truth;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * Writes at random through the engine, notes at random moments, under the write lock, what each page holds, and compares the
 * replica at every transaction noted.
 */
class DifferentialTest {

    private static final Logger log = LoggerFactory.getLogger(DifferentialTest.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private final Map<Txid, Truth> noted = new TreeMap<>();

    @ParameterizedTest
    @ValueSource(ints = {512, 1024, 4096, 8192, 65536})
    void randomWorkload_restoresEveryNotedTransaction(int pageSize) throws Exception {
        run(Long.getLong("fuzz.seed", System.nanoTime()), pageSize, folder, 80);
    }

    @Test
    @Tag("fuzz")
    void randomWorkload_forLong() throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Long.getLong("fuzz.seconds", 60));
        Random seeds = new Random(Long.getLong("fuzz.seed", System.nanoTime()));
        for (int i = 0; System.nanoTime() < end; i++) {
            noted.clear();
            Path place = Files.createDirectory(folder.resolve("run" + i));
            run(seeds.nextLong(), 512 << seeds.nextInt(8), place, 150);
            SqliteFixture.deleteTree(place);
        }
    }

    private void run(long seed, int pageSize, Path place, int steps) throws Exception {
        log.warn("differential test: -Dfuzz.seed={} page size {}", seed, pageSize);
        Random random = new Random(seed);
        Path path = place.resolve("app.db");
        Path replica = place.resolve("replica");
        RandomWorkload workload = new RandomWorkload(random, 40 * pageSize);
        if (random.nextInt(3) > 0) {
            create(path, pageSize, random);
        }
        int runs = 1 + random.nextInt(3);
        for (int i = 0; i < runs; i++) {
            SQLiteConfig settings = new SQLiteConfig();
            settings.setBusyTimeout(10_000);
            settings.setPageSize(pageSize);
            try (Litestream litestream = Litestream.builder().build()) {
                runOnce(litestream.register(config(path, replica, random)), settings, workload, random, steps / runs);
            }
            if (i + 1 < runs && random.nextBoolean()) {
                offline(path, random);
            }
        }
        compare(seed, path, replica);
    }

    private static void create(Path path, int pageSize, Random random) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path)) {
            execute(
                    connection,
                    "PRAGMA page_size=" + pageSize,
                    "PRAGMA auto_vacuum=" + random.nextInt(3),
                    "PRAGMA journal_mode=" + (random.nextBoolean() ? "WAL" : "DELETE"),
                    "CREATE TABLE t(id INTEGER PRIMARY KEY, k, v)");
        }
    }

    private static DatabaseConfig config(Path path, Path replica, Random random) {
        return DatabaseConfig.builder(path, ReplicaLocation.of(replica.toUri().toString()))
                .syncInterval(Duration.ofMillis(1 + random.nextInt(20)))
                .checkpointInterval(Duration.ofMillis(1 + random.nextInt(100)))
                .minCheckpointPages(1 + random.nextInt(50))
                .walLimitPages(60 + random.nextInt(200))
                .maxSyncWalBytes(1 << 20)
                .build();
    }

    private void runOnce(
            ManagedDatabase database, SQLiteConfig settings, RandomWorkload workload, Random random, int steps)
            throws Exception {
        SQLiteDataSource physical = new SQLiteDataSource(settings);
        physical.setUrl("jdbc:sqlite:" + database.config().path());
        try (Connection writer = database.wrap(physical).getConnection();
                Connection reader = database.wrap(physical).getConnection()) {
            boolean reading = false;
            for (int i = 0; i < steps; i++) {
                workload.step(writer);
                if (random.nextInt(10) == 0) {
                    execute(reader, reading ? "COMMIT" : "BEGIN", "SELECT count(*) FROM sqlite_schema");
                    reading = !reading;
                }
                if (random.nextInt(4) == 0) {
                    note(database, writer);
                }
            }
            note(database, writer);
            if (reading) {
                execute(reader, "COMMIT");
            }
        }
    }

    private void note(ManagedDatabase database, Connection writer) throws Exception {
        database.sync(TIMEOUT); // after a start the engine needs the write lock once
        execute(writer, "BEGIN IMMEDIATE");
        database.sync(TIMEOUT);
        noted.put(database.status().captured(), Truth.of(database.config().path()));
        execute(writer, "ROLLBACK");
    }

    /** What someone may do to a database while we do not run. */
    private static void offline(Path path, Random random) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path)) {
            switch (random.nextInt(3)) {
                case 0 -> execute(connection, "CREATE TABLE IF NOT EXISTS tof(id INTEGER PRIMARY KEY, k, v)");
                case 1 ->
                    execute(
                            connection,
                            "PRAGMA journal_mode=DELETE",
                            "PRAGMA page_size=" + (512 << random.nextInt(8)),
                            "VACUUM");
                default -> execute(connection, "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)");
            }
        }
    }

    /** Every transaction, noted or not, has the checksum that its pages have together. */
    private static void assertChecksums(long seed, Path replica) throws Exception {
        PagesOfReplica pages = new PagesOfReplica(replica);
        Path first = replica.resolve("ltx/9/" + LtxFileName.of(new Txid(1)));
        pages.applyTo(new Txid(1));
        assertThat(DatabaseChecksum.of(first)).as("seed " + seed).hasValue(Truth.databaseChecksum(pages));
        for (LtxFileName name : SqliteFixture.level0(replica)) {
            assertThat(pages.applyTo(name.max())).isTrue();
            assertThat(DatabaseChecksum.of(replica.resolve("ltx/0/" + name)))
                    .as("seed " + seed + ", TXID " + name)
                    .hasValue(Truth.databaseChecksum(pages));
        }
    }

    private void compare(long seed, Path path, Path replica) throws Exception {
        PagesOfReplica pages = new PagesOfReplica(replica);
        for (Map.Entry<Txid, Truth> entry : noted.entrySet()) {
            String description = "seed " + seed + ", TXID " + entry.getKey();
            assertThat(pages.applyTo(entry.getKey())).as(description).isTrue();
            entry.getValue().assertSame(Truth.of(pages), description);
        }
        assertChecksums(seed, replica);
        pages.applyAll();
        Path restored = replica.resolveSibling("restored.db");
        pages.writeTo(restored);
        assertThat(restored).as("seed " + seed).hasSameBinaryContentAs(path);
        assertThat(SqliteFixture.integrity(restored)).isEqualTo("ok");
        log.info("compared {} of {} transactions", noted.size(), pages.txid());
    }
}
