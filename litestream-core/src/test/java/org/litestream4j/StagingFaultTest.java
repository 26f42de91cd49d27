package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedInputStream;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.litestream4j.ltx.DatabaseChecksum;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.FaultyFiles;
import org.litestream4j.testing.LockProbe;
import org.litestream4j.testing.PagesOfReplica;
import org.litestream4j.testing.RandomWorkload;
import org.litestream4j.testing.SqliteFixture;
import org.litestream4j.testing.Truth;
import org.slf4j.LoggerFactory;

/**
 * The local state on files that fail at random, under random SQL, with stops and starts in between: every transaction on the replica is a
 * state that was committed, no half file counts, and all goes on by itself when the faults end.
 */
class StagingFaultTest extends EngineFixture {

    private static final org.slf4j.Logger log = LoggerFactory.getLogger("faults"); // the engine's is silent here
    private static final Duration SHORT = Duration.ofMillis(60);

    @TempDir
    static Path shared;

    private static LockProbe probe;

    /** Each state that was committed, in order. */
    private final List<Truth> committed = new ArrayList<>();

    /** The newest of them that is known to be replicated. */
    private int replicated;

    private String seed = "";
    private Random random = new Random(0);
    private FaultyFiles files = new FaultyFiles(0);
    private Path meta;
    private int restores;

    @BeforeAll
    static void startProbe() throws Exception {
        probe = new LockProbe(shared);
    }

    @AfterAll
    static void stopProbe() {
        probe.close();
    }

    static LongStream seeds() {
        Long given = Long.getLong("fuzz.seed");
        return given != null ? LongStream.of(given) : new Random(System.nanoTime()).longs(10);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void faultsOfTheLocalState_delayReplicationAlone(long seed) throws Exception {
        run(seed, folder);
    }

    @Test
    @Tag("fuzz")
    void faultsOfTheLocalState_forLong() throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Long.getLong("fuzz.seconds", 60));
        Random seeds = new Random(Long.getLong("fuzz.seed", System.nanoTime()));
        for (int i = 0; System.nanoTime() < end; i++) {
            Path place = Files.createDirectory(folder.resolve("run" + i));
            run(seeds.nextLong(), place);
            SqliteFixture.deleteTree(place);
        }
    }

    private void run(long number, Path place) throws Exception {
        seed = "-Dfuzz.seed=" + number;
        random = new Random(number);
        files = new FaultyFiles(number);
        path = place.resolve("app.db");
        replica = place.resolve("replica");
        meta = place.resolve("meta");
        committed.clear();
        replicated = 0;
        restores = 0;
        try {
            runs();
        } catch (Exception | AssertionError e) {
            throw new AssertionError(seed + " " + files.faults(), e);
        }
        log.warn(
                "{} faults {} torn {} short writes {} states {} restores {}",
                seed,
                files.faults(),
                files.tornWrites(),
                files.shortWrites(),
                committed.size(),
                restores);
    }

    private void runs() throws Exception {
        create(
                "PRAGMA journal_mode=DELETE",
                "PRAGMA page_size=" + (512 << random.nextInt(5)),
                "PRAGMA auto_vacuum=" + random.nextInt(3),
                "VACUUM",
                "PRAGMA journal_mode=WAL",
                "CREATE TABLE t(id INTEGER PRIMARY KEY, k, v)");
        committed.add(Truth.of(path));
        RandomWorkload workload = new RandomWorkload(random, 30_000);
        int runs = 1 + random.nextInt(3);
        for (int i = 1; i <= runs; i++) {
            try (Litestream litestream = litestream()) {
                ManagedDatabase database = litestream.register(configuration());
                try (Connection writer = open(database)) {
                    work(database, writer, workload);
                    if (i == runs) {
                        files.calm();
                        database.sync(TIMEOUT);
                        replicated = committed.size() - 1;
                        await(seed).atMost(TIMEOUT).untilAsserted(() -> assertThat(database.status())
                                .returns(DatabaseState.REPLICATING, DatabaseStatus::state)
                                .returns(null, DatabaseStatus::lastError));
                        assertRestorable();
                    }
                    assertThat(probe.isHeldOff(path))
                            .as(seed + ": SQLite's locks")
                            .isTrue();
                }
            }
        }
        assertEveryTransactionWasCommitted();
        assertReplicaIsDatabase();
    }

    private DatabaseConfig configuration() {
        return config().metaPath(files.path(meta))
                .syncInterval(Duration.ofMillis(1 + random.nextInt(10)))
                .checkpointInterval(Duration.ofMillis(1 + random.nextInt(50)))
                .minCheckpointPages(1 + random.nextInt(50))
                .walLimitPages(60 + random.nextInt(200))
                .maxSyncWalBytes(1 << 20)
                .shutdownSyncTimeout(SHORT)
                .build();
    }

    private void work(ManagedDatabase database, Connection writer, RandomWorkload workload) throws Exception {
        int steps = 8 + random.nextInt(16);
        for (int i = 0; i < steps; i++) {
            if (random.nextInt(5) == 0) {
                changeFaults();
            }
            workload.step(writer);
            Truth now = Truth.of(path);
            if (!now.equals(committed.get(committed.size() - 1))) {
                committed.add(now);
            }
            if (random.nextInt(3) == 0) {
                sync(database);
            }
            if (random.nextInt(12) == 0) {
                assertRestorable();
            }
            assertLocalFilesAreWhole();
        }
    }

    private void changeFaults() {
        switch (random.nextInt(6)) {
            case 0, 1 -> files.calm();
            case 2 -> files.fill();
            case 3 -> files.failOneOf(5);
            default -> files.failOneOf(60);
        }
    }

    private void sync(ManagedDatabase database) throws Exception {
        try {
            database.sync(SHORT);
        } catch (LitestreamException e) {
            return; // faults are at it
        }
        replicated = committed.size() - 1;
    }

    /** The newest state of the replica is a committed one, and not older than what is known to be there. */
    private void assertRestorable() throws Exception {
        Path restored = replica.resolveSibling("restored" + restores++ + ".db");
        try (ReplicaClient client = Replicas.open(configuration().replica())) {
            Restore.restore(client, restored, RestoreOptions.defaults());
        } catch (RestoreException e) {
            if (replicated == 0 && e.reason() == RestoreException.Reason.NO_BACKUP) {
                return;
            }
            throw e;
        }
        assertThat(SqliteFixture.integrity(restored)).as(seed).isEqualTo("ok");
        assertThat(committed.lastIndexOf(Truth.of(restored)))
                .as(seed + ": which of " + committed.size() + " states was restored")
                .isGreaterThanOrEqualTo(replicated);
    }

    private void assertLocalFilesAreWhole() throws Exception {
        for (LtxFileName name : SqliteFixture.level0(meta)) {
            Path file = meta.resolve("ltx/0/" + name);
            try (InputStream in = new BufferedInputStream(Files.newInputStream(file));
                    LtxReader reader = LtxReader.open(in, file.toString(), name)) {
                while (reader.next()) {
                    // reading to the end is the check
                }
            } catch (NoSuchFileException e) {
                // not needed any more
            }
        }
    }

    /** All of them, in the order of the commits, and with the checksum that their pages have together, where there is one. */
    private void assertEveryTransactionWasCommitted() throws Exception {
        PagesOfReplica pages =
                new PagesOfReplica(Path.of(URI.create(configuration().replica().url())));
        int at = 0;
        for (LtxFileName name : SqliteFixture.level0(replica)) {
            assertThat(pages.applyTo(name.max())).as(seed).isTrue();
            Truth found = Truth.of(pages);
            while (at < committed.size() && !committed.get(at).equals(found)) {
                at++;
            }
            assertThat(at).as(seed + ": no committed state is TXID " + name).isLessThan(committed.size());
            DatabaseChecksum.of(replica.resolve("ltx/0/" + name)).ifPresent(checksum -> assertThat(checksum)
                    .as(seed + ": checksum of TXID " + name)
                    .isEqualTo(Truth.databaseChecksum(pages)));
        }
        assertThat(pages.txid()).as(seed).isNotEqualTo(Txid.NONE);
        assertThat(at).as(seed + ": the newest state").isEqualTo(committed.size() - 1);
    }
}
