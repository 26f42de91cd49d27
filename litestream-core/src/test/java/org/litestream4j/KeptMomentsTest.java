package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.compaction.Simulation;
import org.litestream4j.compaction.SnapshotKeep;
import org.litestream4j.compaction.Validation;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.Mark;
import org.litestream4j.restore.Marks;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreException.Reason;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreTarget;
import org.litestream4j.testing.ManualClock;

/** Months of a database with tiers and marks: what is kept, and that it is restored, also by the official program. */
class KeptMomentsTest {

    private static final SnapshotKeep KEEP = new SnapshotKeep(24, 7, 4, 12, 3);

    @TempDir
    Path folder;

    private final ManualClock clock = new ManualClock();
    private final TreeMap<Txid, Long> marked = new TreeMap<>();

    private SimulatedEngine engine;
    private Simulation simulation;

    @BeforeEach
    void begin() throws Exception {
        engine = new SimulatedEngine(folder, clock, KEEP);
        simulation = new Simulation(clock, engine.client, engine.compaction, engine).restoreOneIn(60);
    }

    @AfterEach
    void close() throws Exception {
        engine.close();
    }

    private void live(Duration total, Duration every) throws Exception {
        simulation.run(total, every);
    }

    private void mark(String name) throws Exception {
        Mark mark = Marks.add(engine.client, name, RestoreTarget.latest(), null, clock);
        assertThat(mark.txid()).isEqualTo(engine.replicated());
        marked.put(mark.txid(), engine.counters.get(mark.txid()));
    }

    private List<LtxFileInfo> snapshots() throws Exception {
        List<LtxFileInfo> snapshots = new ArrayList<>();
        engine.client.list(9, Txid.NONE, snapshots::add);
        return snapshots;
    }

    /** All kept moments: snapshots and marks. */
    private TreeMap<Txid, Long> kept() throws Exception {
        TreeMap<Txid, Long> kept = new TreeMap<>(marked);
        for (LtxFileInfo snapshot : snapshots()) {
            Long value = engine.counters.get(snapshot.maxTxid());
            if (value != null) { // the first image was uploaded before the first commit
                kept.put(snapshot.maxTxid(), value);
            }
        }
        return kept;
    }

    private void restore(RestoreTarget target, long expected) throws Exception {
        Path file = folder.resolve("ours.db");
        Restore.restore(
                engine.client,
                file,
                RestoreOptions.builder().target(target).clock(clock).force(true).build());
        assertThat(counter(file)).as("%s", target).isEqualTo(expected);
    }

    private static long counter(Path file) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file)) {
            return query(connection, "select n from counter");
        }
    }

    @Test
    void monthsWithMarks_keptMomentsAreRestored() throws Exception {
        months(Duration.ofDays(70), Duration.ofHours(4));
    }

    @Test
    @Tag("slow")
    void aYearWithMarks_keptMomentsAreRestored() throws Exception {
        months(Duration.ofDays(400), Duration.ofHours(1));
    }

    private void months(Duration total, Duration every) throws Exception {
        live(Duration.ofDays(10), every);
        mark("before-migration-42");
        live(Duration.ofDays(10), every);
        mark("release-1.0");
        live(total.minusDays(20), every);
        restore(RestoreTarget.latest(), engine.counters.get(engine.replicated()));
        var kept = kept();
        assertThat(snapshots()).hasSizeLessThanOrEqualTo(2 + 7 + 4 + 12 + 3 + marked.size());
        assertThat(simulation.mostFiles()).isLessThan(400);
        for (var moment : kept.entrySet()) {
            restore(RestoreTarget.txid(moment.getKey()), moment.getValue());
        }
        restore(RestoreTarget.mark("before-migration-42"), marked.firstEntry().getValue());
        restore(RestoreTarget.mark("release-1.0"), marked.lastEntry().getValue());
        assertThat(Validation.run(engine.client, true, () -> false).problems()).isEmpty();
        System.out.println("tiers after " + total + ": " + kept.size() + " kept moments; " + simulation.report());

        assertThat(Marks.remove(engine.client, "release-1.0")).isTrue();
        live(Duration.ofDays(3), every);
        assertThatThrownBy(() -> restore(RestoreTarget.mark("release-1.0"), 0))
                .isInstanceOfSatisfying(
                        RestoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.NO_SUCH_MARK));
        Mark gone = new Mark("gone", marked.lastKey(), clock.instant(), clock.instant(), null);
        Marks.create(engine.client, gone);
        assertThatThrownBy(() -> restore(RestoreTarget.mark("gone"), 0))
                .isInstanceOf(RestoreException.class)
                .hasMessageContaining("the mark gone names transaction " + marked.lastKey())
                .hasMessageContaining("can no longer be restored");
    }

    /** Run with a {@code litestream} program of version 0.5.16 or newer on the PATH, or {@code -Dlitestream.reference=PATH}. */
    @Test
    void officialProgram_restoresTheNewestStateAndEveryKeptMoment() throws Exception {
        Path program = program();
        assumeTrue(program != null, "needs a litestream program on the PATH, or -Dlitestream.reference=PATH");
        live(Duration.ofDays(9), Duration.ofHours(5));
        mark("before-migration-42");
        live(Duration.ofDays(40), Duration.ofHours(5));
        mark("release-1.0");
        live(Duration.ofDays(30), Duration.ofHours(5));
        assertThat(official(program)).isEqualTo(engine.counters.get(engine.replicated()));
        var kept = kept();
        assertThat(kept).hasSizeGreaterThan(12).containsAllEntriesOf(marked);
        for (var moment : kept.entrySet()) {
            assertThat(official(program, "-txid", moment.getKey().toString()))
                    .as("TXID %s", moment.getKey())
                    .isEqualTo(moment.getValue());
        }
        List<LtxFileInfo> snapshots = snapshots();
        for (LtxFileInfo snapshot : snapshots) {
            Long expected = engine.counters.get(snapshot.maxTxid());
            if (expected != null && !marked.containsKey(snapshot.maxTxid())) {
                String time = snapshot.timestamp().plusMillis(1).toString();
                assertThat(official(program, "-timestamp", time)).as("%s", time).isEqualTo(expected);
            }
        }
        for (Mark mark : Marks.list(engine.client)) {
            Instant after = mark.timestamp().plusMillis(1);
            assertThat(official(program, "-timestamp", after.toString()))
                    .as("%s", mark)
                    .isEqualTo(marked.get(mark.txid()));
        }
    }

    private long official(Path program, String... options) throws Exception {
        Path target = folder.resolve("theirs.db");
        Files.deleteIfExists(target);
        List<String> command = new ArrayList<>(List.of(program.toString(), "restore"));
        command.addAll(List.of(options));
        command.addAll(List.of("-o", target.toString(), "file://" + folder.resolve("replica")));
        Path log = folder.resolve("theirs.log");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue())
                .as("%s: %s", command, Files.readString(log, StandardCharsets.UTF_8))
                .isZero();
        return counter(target);
    }

    private static Path program() {
        String configured = System.getProperty("litestream.reference", "");
        if (!configured.isEmpty()) {
            return Path.of(configured);
        }
        String path = System.getenv().getOrDefault("PATH", "");
        return Stream.of(path.split(Pattern.quote(File.pathSeparator), -1))
                .filter(each -> !each.isEmpty())
                .map(each -> Path.of(each, "litestream"))
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
    }
}
