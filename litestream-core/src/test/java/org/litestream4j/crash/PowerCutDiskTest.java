package org.litestream4j.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.litestream4j.crash.CrashPointChild.Role;
import org.litestream4j.testing.ChildProcess;
import org.litestream4j.testing.Disk;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.History;
import org.litestream4j.testing.SqliteFixture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Cuts the power of a real file system. Application, engine and local state run on an ext4 image. A copy of its backing file
 * is what a power cut at that moment leaves: writes, times, sizes and names that were not forced are missing. The copy is
 * mounted in the place of the image, the engine continues as after a reboot, and its replica, which is elsewhere, is compared.
 *
 * <p>{@code -Pcrash -Dtest=PowerCutDiskTest -Dcuts=300 -Dcrash.seed=…}. Skipped where a test may not mount.
 */
@Tag("crash")
class PowerCutDiskTest {

    private static final Logger log = LoggerFactory.getLogger(PowerCutDiskTest.class);

    /** Number of cuts of one image. */
    private static final int GENERATIONS = 3;

    /** Number of copies after which the process is suspended, so that two of them become the same. */
    private static final int MAX_COPIES_UNDER_LOAD = 10;

    /** The last events before the cut. */
    private enum End {
        RUNNING,
        STOPPED,
        /** Application and engine have stopped, and another program writes and checkpoints. */
        STOPPED_AND_WRITTEN_TO,
        /** Replication is paused, the application goes on. */
        PAUSED,
        RESUMED
    }

    enum Before {
        /** The application has closed the database, and SQLite has deleted the WAL. */
        STOPPED,
        /** It was killed after a complete checkpoint, and the WAL is there. */
        KILLED
    }

    @TempDir
    static Path shared;

    private static CrashPoints points;

    @TempDir
    Path folder;

    private final Map<End, Integer> ends = new EnumMap<>(End.class);
    private Path image;
    private Path mounted;
    private Path outside;
    private Disk disk;

    @BeforeAll
    static void prepare() throws Exception {
        Disk.assumeOwnMounts();
        points = CrashPoints.build(shared);
        Path rehearsal = Files.createDirectory(shared.resolve("rehearsal"));
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + rehearsal.resolve("app.db"))) {
            History.create(connection);
        }
        points.rehearse(
                shared.resolve("rehearsal.out"),
                CrashPointChild.class,
                Role.CONTINUATION,
                rehearsal,
                "FULL",
                "rehearsal");
    }

    @Test
    void cutsAtRandomMoments_loseNothingReplicated() throws Exception {
        long seed = Long.getLong("crash.seed", System.nanoTime());
        int cuts = Integer.getInteger("cuts", 30);
        log.warn("power cuts: -Dcrash.seed={} -Dcuts={}", seed, cuts);
        Random random = new Random(seed);
        List<String> wrong = new ArrayList<>();
        for (int cut = 0; cut < cuts; cut++) {
            if (disk == null) {
                begin(cut);
            }
            End end = End.values()[random.nextInt(End.values().length)];
            ends.merge(end, 1, Integer::sum);
            String synchronous = random.nextBoolean() ? "FULL" : "NORMAL";
            boolean failed = false;
            try {
                loadAndCut(end, synchronous, "cut" + cut, random);
                continueAfterReboot();
            } catch (Exception | AssertionError e) {
                failed = true;
                String message = "cut " + cut + ", " + end + ", " + synchronous + ": " + e;
                wrong.add(message.replaceAll("\\s+", " "));
                log.warn("wrong: {}", message, wrong.size() <= 2 ? e : null);
            }
            if (failed || cut % GENERATIONS == GENERATIONS - 1) {
                end();
            }
        }
        log.warn("power cuts {}, wrong {}", ends, wrong.size());
        assertThat(wrong).as("wrong, of %s", ends).isEmpty();
    }

    /**
     * Forces leave times volatile. So the file has pages that an unknown writer checkpointed, under the times that the engine
     * knows, and the WAL that these pages came from is overwritten.
     */
    @ParameterizedTest
    @EnumSource
    void timesThatThePowerCutTookBack_proveNothing(Before before) throws Exception {
        begin(0);
        try (ChildProcess child = load("FULL", "engine")) {
            child.awaitOutput("child: ready");
            await(() -> CrashPointLog.read(outside).replicatedCount() >= 3);
            if (before == Before.STOPPED) {
                child.tell("stop");
                assertThat(child.awaitExit(300)).isTrue();
            } else {
                child.tell("hold");
                child.awaitOutput("child: holding");
            }
        }
        disk.force();
        Path output = outside.resolve("writer.out");
        try (ChildProcess writer = points.startWithDataSync(
                output, mounted, CrashPointChild.class, Role.WAL_RESETS, mounted, "FULL", "writer", outside)) {
            writer.awaitOutput("child: ready");
            disk.force();
            writer.tell("go");
            writer.awaitOutput("child: done");
            cut(writer, new Random());
        }
        continueAfterReboot();
    }

    private void begin(int number) throws Exception {
        Path own = Files.createDirectory(folder.resolve("image" + number));
        image = own.resolve("disk.img");
        mounted = own.resolve("disk");
        outside = Files.createDirectory(own.resolve("outside"));
        disk = Disk.ext4(mounted, image);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + mounted.resolve("app.db"))) {
            History.create(connection);
            // free pages: commits do not let the file grow, and so its checkpoints do not force its inode
            execute(
                    connection,
                    "CREATE TABLE filler(v)",
                    "INSERT INTO filler VALUES (zeroblob(2000000))",
                    "DROP TABLE filler");
        }
        disk.force();
    }

    @AfterEach
    void end() throws IOException {
        if (disk != null) {
            disk.close();
            disk = null;
            SqliteFixture.deleteTree(image.getParent());
        }
    }

    private ChildProcess load(String synchronous, String name) throws IOException {
        return points.startWithDataSync(
                outside.resolve("load.out"),
                mounted,
                CrashPointChild.class,
                Role.LOAD,
                mounted,
                synchronous,
                name,
                outside);
    }

    private void loadAndCut(End end, String synchronous, String name, Random random) throws Exception {
        try (ChildProcess child = load(synchronous, name)) {
            child.awaitOutput("child: ready");
            TimeUnit.MILLISECONDS.sleep(random.nextInt(700)); // the moment of the end
            switch (end) {
                case RUNNING -> cut(child, random);
                case PAUSED, RESUMED -> {
                    child.tell("pause");
                    TimeUnit.MILLISECONDS.sleep(random.nextInt(300));
                    if (end == End.RESUMED) {
                        child.tell("resume");
                        TimeUnit.MILLISECONDS.sleep(random.nextInt(100));
                    }
                    cut(child, random);
                }
                case STOPPED, STOPPED_AND_WRITTEN_TO -> {
                    child.tell("stop");
                    assertThat(child.awaitExit(300)).as("ends in good order").isTrue();
                    assertThat(child.exitCode()).as(child.output()).isZero();
                    if (end == End.STOPPED) {
                        TimeUnit.MILLISECONDS.sleep(random.nextInt(1_000));
                        cut(child, random);
                    } else {
                        writeForeignAndCut(synchronous, name, random);
                    }
                }
            }
        }
    }

    private void writeForeignAndCut(String synchronous, String name, Random random) throws Exception {
        try (ChildProcess writer = points.startWithDataSync(
                outside.resolve("writer.out"),
                mounted,
                CrashPointChild.class,
                Role.FOREIGN_LOAD,
                mounted,
                synchronous,
                "foreign-" + name,
                outside)) {
            writer.awaitOutput("child: ready");
            TimeUnit.MILLISECONDS.sleep(random.nextInt(500));
            cut(writer, random);
        }
    }

    /**
     * Replaces the disk by the image as it is at one moment. Nothing may reach the replica after that moment. So either the process
     * is suspended, between two calls, or the replica is unreachable, and the cut may come in the middle of a force.
     */
    private void cut(ChildProcess running, Random random) throws Exception {
        boolean still = random.nextBoolean();
        if (still && running.isAlive()) {
            running.suspend();
        } else {
            Files.move(outside.resolve("replica"), outside.resolve("away"));
            Files.createFile(outside.resolve("replica"));
            TimeUnit.MILLISECONDS.sleep(random.nextInt(50)); // the moment of the cut
        }
        Path copy = image.resolveSibling("copy.img");
        int tries = 0;
        do { // a copy that is the same as the image afterwards is that of one moment
            if (++tries == MAX_COPIES_UNDER_LOAD && running.isAlive()) {
                running.suspend();
            }
            Files.copy(image, copy, StandardCopyOption.REPLACE_EXISTING);
        } while (Files.mismatch(image, copy) >= 0);
        running.kill();
        if (Files.exists(outside.resolve("away"))) {
            Files.delete(outside.resolve("replica"));
            Files.move(outside.resolve("away"), outside.resolve("replica"));
        }
        disk.close();
        image = image.resolveSibling("after.img");
        Files.move(copy, image, StandardCopyOption.REPLACE_EXISTING);
        disk = Disk.ext4(mounted, image);
    }

    private void continueAfterReboot() throws Exception {
        new CrashPointCheck(mounted, outside, Role.CONTINUATION).acknowledgedIsOnReplica();
        try (ChildProcess child = points.startAfterReboot(
                outside.resolve("continuation.out"),
                CrashPointChild.class,
                Role.CONTINUATION,
                mounted,
                "FULL",
                "continuation",
                outside)) {
            assertThat(child.awaitExit(300)).as("ends: %s", child.output()).isTrue();
            assertThat(child.exitCode()).as(child.output()).isZero();
        }
        new CrashPointCheck(mounted, outside, Role.CONTINUATION).restoresToTheFile();
    }

    private static void await(java.util.concurrent.Callable<Boolean> condition) {
        org.awaitility.Awaitility.await().atMost(EngineFixture.TIMEOUT).until(condition);
    }
}
