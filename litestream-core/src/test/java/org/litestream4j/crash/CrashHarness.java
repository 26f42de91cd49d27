package org.litestream4j.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.ChildProcess;
import org.litestream4j.testing.PagesOfReplica;
import org.litestream4j.testing.SqliteFixture;
import org.litestream4j.testing.Truth;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts {@link CrashChild} again and again, ends it with SIGKILL at a random moment or in good order, sometimes with another
 * program beside it or in between, and compares after each time what the replica restores to with what the writers were told
 * and with the pages that they noted.
 *
 * <p>As a program: {@code CrashHarness folder cycles seed}.
 */
final class CrashHarness {

    private static final Logger log = LoggerFactory.getLogger(CrashHarness.class);

    private static final int WRITERS = ForeignChild.WRITER + 1;

    /** How a cycle ends, and what happens before the next. */
    private enum Kind {
        KILL,
        EARLY_KILL,
        STOP,
        FOREIGN_BESIDE,
        /** The other program is killed, up to three times, and the engine continues. */
        FOREIGN_KILLED,
        FOREIGN_BETWEEN;

        /** Whether the next start can prove that nothing was missed. */
        boolean provable() {
            return this == KILL || this == EARLY_KILL || this == STOP;
        }
    }

    private final Path folder;
    private final Random random;
    private final PagesOfReplica pages;
    private final long[] committed = new long[WRITERS];
    private final long[] replicated = new long[WRITERS];
    private long logRead;
    private Kind before = Kind.FOREIGN_BETWEEN;
    private final Map<Kind, Integer> kinds = new EnumMap<>(Kind.class);
    private int images;
    private int needless;
    private int provable;
    private int notes;
    private long pagesCompared;

    CrashHarness(Path folder, long seed) {
        this.folder = folder;
        this.random = new Random(seed);
        this.pages = new PagesOfReplica(folder.resolve("replica"));
    }

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        CrashHarness harness = new CrashHarness(Files.createDirectories(folder), Long.parseLong(args[2]));
        harness.run(Integer.parseInt(args[1]));
        System.out.println(harness.summary());
    }

    /** Throws an {@link AssertionError} as soon as anything is wrong. */
    void run(int cycles) throws Exception {
        for (int i = 1; i <= cycles; i++) {
            Kind kind = kind();
            boolean recorded = Files.exists(folder.resolve(".app.db-litestream").resolve("position"));
            Path output = folder.resolve("child.out");
            runChild(kind, output);
            kinds.merge(kind, 1, Integer::sum);
            countImages(Files.readString(output), recorded);
            readLog();
            check("cycle " + i + " (" + kind + ")");
            restore("cycle " + i);
            if (kind == Kind.FOREIGN_BETWEEN) {
                writeForeign();
            }
            String text = Files.readString(output);
            boolean judged = text.contains("child: continues") || text.contains("child: full image");
            if (judged || !kind.provable()) { // else what the cycle before left is still to be judged
                before = kind;
            }
            if (i % 10 == 0) {
                log.info("{}", summary());
            }
        }
        finish();
    }

    private Kind kind() {
        int choice = random.nextInt(100);
        return choice < 50
                ? Kind.KILL
                : choice < 75
                        ? Kind.EARLY_KILL
                        : choice < 82
                                ? Kind.STOP
                                : choice < 88
                                        ? Kind.FOREIGN_BESIDE
                                        : choice < 95 ? Kind.FOREIGN_KILLED : Kind.FOREIGN_BETWEEN;
    }

    private void runChild(Kind kind, Path output) throws Exception {
        try (ChildProcess child = ChildProcess.start(output, CrashChild.class, folder, random.nextLong())) {
            if (kind == Kind.EARLY_KILL) {
                Thread.sleep(200 + random.nextInt(1_000));
            } else {
                child.awaitOutput("child: registered");
                if (kind == Kind.FOREIGN_BESIDE) {
                    runForeign();
                } else if (kind == Kind.FOREIGN_KILLED) {
                    killForeign();
                }
                Thread.sleep(random.nextInt(2_000));
            }
            if (kind == Kind.STOP) {
                child.tell("stop");
                assertThat(child.awaitExit(60)).as("ends in good order").isTrue();
                assertThat(child.exitCode()).as(child.output()).isZero();
            } else {
                assertThat(child.isAlive()).as(child.output()).isTrue();
            }
        }
    }

    private void runForeign() throws Exception {
        Path path = folder.resolve("app.db");
        try (ChildProcess foreign = ChildProcess.start(
                folder.resolve("foreign.out"),
                ForeignChild.class,
                path,
                random.nextLong(),
                0.5 + random.nextDouble())) {
            assertThat(foreign.awaitExit(60)).isTrue();
            assertThat(foreign.exitCode()).as(foreign.output()).isZero();
        }
    }

    private void killForeign() throws Exception {
        for (int i = random.nextInt(3); i >= 0; i--) {
            try (ChildProcess foreign = ChildProcess.start(
                    folder.resolve("foreign.out"),
                    ForeignChild.class,
                    folder.resolve("app.db"),
                    random.nextLong(),
                    60)) {
                foreign.awaitOutput("foreign: begins");
                Thread.sleep(random.nextInt(600)); // the moment of the kill
                assertThat(foreign.isAlive()).as(foreign.output()).isTrue();
            }
            Thread.sleep(random.nextInt(100)); // ours goes on
        }
    }

    private void writeForeign() throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("app.db"))) {
            if (query(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 't'") == 0) {
                return;
            }
            int count = random.nextInt(5);
            long last =
                    query(connection, "SELECT coalesce(max(number), 0) FROM t WHERE writer = " + ForeignChild.WRITER);
            for (int i = 1; i <= count; i++) {
                CrashChild.insert(connection, ForeignChild.WRITER, last + i);
            }
            if (random.nextBoolean()) {
                execute(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
            }
        }
    }

    private void countImages(String output, boolean recorded) {
        int found = output.split("\nchild: full image", -1).length - 1;
        images += found;
        if (before.provable() && recorded) {
            provable++;
            if (found > 0) {
                needless++;
                log.warn("a full image after {}:\n{}", before, output);
            }
        }
    }

    private void readLog() throws IOException {
        Path path = folder.resolve("writers.log");
        if (!Files.exists(path)) {
            return;
        }
        byte[] bytes;
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
            bytes = new byte[(int) (file.length() - logRead)];
            file.seek(logRead);
            file.readFully(bytes);
        }
        logRead += bytes.length;
        Map<Txid, Truth> noted = new TreeMap<>();
        for (String line : new String(bytes, StandardCharsets.US_ASCII).split("\n", -1)) {
            String[] fields = line.split(" ", -1);
            switch (fields[0]) {
                case "C" -> committed[Integer.parseInt(fields[1])] = Long.parseLong(fields[2]);
                case "R" -> replicated[Integer.parseInt(fields[1])] = Long.parseLong(fields[2]);
                case "T" -> noted.put(Txid.parse(fields[1]), Truth.parse(fields[2], fields[3]));
                default -> assertThat(line).isEmpty();
            }
        }
        for (Map.Entry<Txid, Truth> entry : noted.entrySet()) {
            assertThat(pages.applyTo(entry.getKey()))
                    .as("TXID %s", entry.getKey())
                    .isTrue();
            entry.getValue().assertSame(Truth.of(pages), "TXID " + entry.getKey());
            notes++;
            pagesCompared += entry.getValue().crcs().size();
        }
    }

    private void check(String description) throws Exception {
        pages.applyAll();
        Path restored = folder.resolve("restored.db");
        Files.deleteIfExists(restored);
        pages.writeTo(restored);
        if (Files.size(restored) == 0) {
            assertThat(Arrays.stream(replicated).sum()).as(description).isZero();
            return;
        }
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:file:" + restored + "?immutable=1")) {
            assertThat(SqliteFixture.text(connection, "PRAGMA integrity_check"))
                    .as(description)
                    .isEqualTo("ok");
            if (query(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 't'") == 0) {
                assertThat(Arrays.stream(replicated).sum()).as(description).isZero();
                return;
            }
            for (int writer = 0; writer < WRITERS; writer++) {
                checkWriter(connection, writer, description);
            }
        }
    }

    private void checkWriter(Connection connection, int writer, String description) throws SQLException {
        long last = 0;
        long count = 0;
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        "SELECT number, v FROM t WHERE writer = " + writer + " ORDER BY number")) {
            while (rows.next()) {
                long number = rows.getLong(1);
                assertThat(count == 0 || number == last + 1)
                        .as("%s: row %s %s", description, writer, number)
                        .isTrue();
                assertThat(rows.getBytes(2))
                        .as("%s: row %s %s", description, writer, number)
                        .isEqualTo(CrashChild.value(writer, number));
                last = number;
                count++;
            }
        }
        assertThat(count).as("%s: rows of writer %s", description, writer).isEqualTo(Math.min(last, CrashChild.KEPT));
        assertThat(last).as("%s: writer %s", description, writer).isGreaterThanOrEqualTo(replicated[writer]);
        if (writer != ForeignChild.WRITER) { // a commit may have happened that the log does not tell any more
            assertThat(last).as("%s: writer %s", description, writer).isLessThanOrEqualTo(committed[writer] + 1);
        }
    }

    /** Merges and snapshots lead to the same database as level 0. */
    private void restore(String description) throws IOException {
        if (pages.txid().isNone()) {
            return;
        }
        Path target = folder.resolve("merged.db");
        Files.deleteIfExists(target);
        try (ReplicaClient client = Replicas.open(
                ReplicaLocation.of(folder.resolve("replica").toUri().toString()))) {
            Restore.restore(client, target, RestoreOptions.defaults());
        }
        assertThat(target).as(description).hasSameBinaryContentAs(folder.resolve("restored.db"));
    }

    /** A last start and stop: then replica and database are the same. */
    private void finish() throws Exception {
        runChild(Kind.STOP, folder.resolve("child.out"));
        readLog();
        check("the end");
        restore("the end");
        assertThat(folder.resolve("restored.db")).hasSameBinaryContentAs(folder.resolve("app.db"));
    }

    /** Starts that could and did go on without a full image, in percent. */
    double continuity() {
        return provable == 0 ? 100 : 100.0 * (provable - needless) / provable;
    }

    String summary() {
        StringBuilder text = new StringBuilder("cycles:");
        for (Kind kind : Kind.values()) {
            text.append(' ').append(kind).append('=').append(kinds.getOrDefault(kind, 0));
        }
        return text + "; commits " + Arrays.stream(committed).sum() + ", TXID "
                + pages.txid().value() + "; states compared "
                + notes + " with " + pagesCompared + " pages, all equal; full images " + images
                + ", needless " + needless + " of " + provable + " starts that could go on";
    }
}
