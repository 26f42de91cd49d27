package org.litestream4j.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.TemporalAdjusters;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.Mark;
import org.litestream4j.testing.ManualClock;

/** Snapshots thin out; what a kept or marked moment, or one within the retention, needs is never deleted. */
class TieredRetentionTest {

    private static final Duration DAY = Duration.ofDays(1);

    private final ManualClock clock = new ManualClock();
    private final MemoryReplica replica = new MemoryReplica();
    private final ModelDatabase database = new ModelDatabase(clock, 5);
    private Compaction compaction = start(SnapshotKeep.NONE);

    /** Times of all snapshots ever published, by TXID. */
    private final TreeMap<Txid, Instant> published = new TreeMap<>();

    private Compaction start(SnapshotKeep keep) {
        return new Compaction(
                replica,
                new CompactionSettings(
                        Levels.DEFAULT, Duration.ofMinutes(5), DAY, DAY, keep, true, PageEncoding.BLOCK, true),
                LocalLevel0.NONE,
                Fence.NONE,
                clock,
                clock::nanoTime);
    }

    private void begin(SnapshotKeep keep) throws IOException {
        compaction = start(keep);
        published.put(new Txid(1), clock.instant());
        for (LtxFileInfo file : database.firstImage(replica)) {
            compaction.uploaded(file);
        }
    }

    private void live(Duration total, Duration step) throws IOException {
        Instant end = clock.instant().plus(total);
        while (clock.instant().isBefore(end)) {
            compaction.uploaded(database.commit(replica));
            clock.advance(step);
            work();
        }
    }

    private void work() throws IOException {
        compaction.refresh();
        if (compaction.isSnapshotDue(database.txid())) {
            published.put(database.txid(), clock.instant());
            database.publishSnapshot(compaction);
        }
        compaction.run(false);
    }

    private List<LocalDate> keptDays() {
        List<LocalDate> days = new ArrayList<>();
        for (LtxFileInfo file : replica.all()) {
            if (file.level() == 9) {
                days.add(LocalDate.ofInstant(file.timestamp(), ZoneOffset.UTC));
            }
        }
        return days;
    }

    @Test
    void snapshots_thinOutByDayWeekMonthAndYear() throws Exception {
        begin(new SnapshotKeep(0, 7, 4, 12, 3));
        live(Duration.ofDays(800), Duration.ofHours(23));
        LocalDate today = LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC);
        List<LocalDate> kept = keptDays();
        LocalDate monday = today.with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY));
        for (int ago = 0; ago < 7; ago++) {
            assertThat(kept).as("day %s", ago).contains(today.minusDays(ago));
        }
        for (int ago = 0; ago < 4; ago++) {
            assertThat(kept).as("week %s", ago).contains(monday.minusWeeks(ago));
        }
        for (int ago = 0; ago < 12; ago++) {
            assertThat(kept)
                    .as("month %s", ago)
                    .contains(today.withDayOfMonth(1).minusMonths(ago));
        }
        for (int ago = 0; ago < 2; ago++) {
            assertThat(kept).as("year %s", ago).contains(today.withDayOfYear(1).minusYears(ago));
        }
        assertThat(kept).hasSizeLessThanOrEqualTo(7 + 4 + 12 + 3);
        assertThat(replica.files()).isLessThan(300);
        for (LtxFileInfo file : replica.all()) {
            if (file.level() == 9) {
                database.assertRestorable(replica, replica.all(), file.maxTxid());
            }
        }
        assertThat(Validation.run(replica, true, () -> false).problems()).isEmpty();
    }

    @Test
    void withoutTiers_onlyTheRetentionIsKept() throws Exception {
        begin(SnapshotKeep.NONE);
        live(Duration.ofDays(30), Duration.ofHours(5));
        assertThat(keptDays()).hasSizeLessThanOrEqualTo(3);
    }

    @Test
    void tiersAfterARestart_deleteMergedFilesBeyondTheRetention() throws Exception {
        begin(new SnapshotKeep(0, 1000, 0, 0, 0));
        live(Duration.ofDays(5), Duration.ofMinutes(30));
        compaction = start(new SnapshotKeep(0, 1000, 0, 0, 0));
        live(Duration.ofDays(25), Duration.ofMinutes(30));
        assertThat(keptDays()).hasSizeGreaterThanOrEqualTo(30);
        assertThat(replica.names(3)).hasSizeLessThan(80);
    }

    @Test
    void processWithoutTiers_keepsOldSnapshotsForADay() throws Exception {
        begin(new SnapshotKeep(0, 30, 0, 0, 0));
        live(Duration.ofDays(30), Duration.ofHours(5));
        List<LtxFileName> before = replica.names(9);
        compaction = start(SnapshotKeep.NONE);
        live(Duration.ofHours(23), Duration.ofHours(1));
        assertThat(replica.names(9)).containsAll(before);
        assertThat(compaction.millisUntilDue(database.txid())).isPositive();
        live(Duration.ofHours(3), Duration.ofHours(1));
        assertThat(keptDays()).hasSizeLessThanOrEqualTo(3);
    }

    @Test
    void idleDatabase_reachesTheLastPeriodWithoutNewSnapshots() throws Exception {
        begin(new SnapshotKeep(0, 0, 0, 2, 0));
        live(Duration.ofDays(70), Duration.ofHours(9));
        work();
        long snapshots = replica.names(9).size();
        assertThat(snapshots).isGreaterThan(2);
        for (int month = 0; month < 4; month++) { // nothing is committed: only the lane's own wake-ups
            for (int wake = 0; wake < 20; wake++) {
                long due = compaction.millisUntilDue(database.txid());
                if (due < 0) {
                    break;
                }
                clock.advance(
                        Duration.ofMillis(Math.min(due + 1, Duration.ofDays(5).toMillis())));
                work();
            }
        }
        assertThat(replica.names(9)).hasSizeLessThanOrEqualTo(2);
        assertThat(compaction.millisUntilDue(database.txid()))
                .as("no busy loop")
                .satisfiesAnyOf(due -> assertThat(due).isNegative(), due -> assertThat(due)
                        .isPositive());
    }

    @Test
    void mark_keepsWhatRestoresItUntilItIsRemoved() throws Exception {
        begin(SnapshotKeep.NONE);
        live(Duration.ofHours(30), Duration.ofMinutes(7));
        compaction.uploaded(database.commit(replica));
        Txid marked = database.txid();
        Mark mark = new Mark("before", marked, clock.instant(), clock.instant(), null);
        replica.marks.put("before", mark.encode());
        live(Duration.ofDays(20), Duration.ofMinutes(13));
        database.assertRestorable(replica, replica.all(), marked);
        assertThat(Validation.run(replica, true, () -> false).problems()).isEmpty();
        long files = replica.files();
        assertThat(compaction.millisUntilDue(database.txid()))
                .as("no busy loop")
                .isPositive();

        replica.marks.remove("before");
        live(Duration.ofDays(3), Duration.ofMinutes(13));
        assertThat(ModelDatabase.plan(replica.all(), marked)).isEmpty();
        assertThat(replica.files()).isLessThan(files);
    }

    @Test
    void mark_expires() throws Exception {
        begin(SnapshotKeep.NONE);
        live(Duration.ofHours(5), Duration.ofMinutes(7));
        Txid marked = database.txid();
        Instant expires = clock.instant().plus(Duration.ofDays(4));
        replica.marks.put("short", new Mark("short", marked, clock.instant(), clock.instant(), expires).encode());
        live(Duration.ofDays(3), Duration.ofMinutes(13));
        database.assertRestorable(replica, replica.all(), marked);
        live(Duration.ofDays(4), Duration.ofMinutes(13));
        assertThat(ModelDatabase.plan(replica.all(), marked)).isEmpty();
        assertThat(replica.marks).isEmpty();
    }

    @Test
    void unreadableMark_pausesRetention() throws Exception {
        begin(SnapshotKeep.NONE);
        live(Duration.ofHours(5), Duration.ofMinutes(7));
        replica.marks.put("odd", new byte[] {1, 2, 3});
        long deletes = replica.deletes;
        live(Duration.ofHours(5), Duration.ofMinutes(7));
        assertThat(replica.deletes).isEqualTo(deletes);
        assertThat(compaction.status().retentionProblem()).contains("odd");
        replica.marks.remove("odd");
        live(Duration.ofHours(1), Duration.ofMinutes(7));
        assertThat(replica.deletes).isGreaterThan(deletes);
        assertThat(compaction.status().retentionProblem()).isNull();
    }

    @Test
    void marksAreListed_onlyBeforeDeletions() throws Exception {
        begin(SnapshotKeep.NONE);
        live(Duration.ofHours(10), Duration.ofSeconds(20));
        assertThat(replica.markLists).isLessThanOrEqualTo(10 * 12 + 5).isPositive();
        long lists = replica.markLists;
        for (int i = 0; i < 50; i++) {
            clock.advance(Duration.ofHours(1));
            work();
        }
        assertThat(replica.markLists - lists).as("idle").isLessThanOrEqualTo(5);
    }

    /** Random settings, rates, pauses, restarts and marks. */
    @Test
    void whateverHappens_keptMarkedAndRecentMomentsStayRestorable() throws Exception {
        long seed = System.nanoTime();
        System.out.println("TieredRetentionTest seed " + seed);
        for (int round = 0; round < 6; round++) {
            new Life(seed + round).run();
        }
    }

    /** One random life of a database. */
    private static final class Life {
        private final Random random;
        private final TieredRetentionTest test = new TieredRetentionTest();
        private final SnapshotKeep keep;
        private final TreeMap<Txid, Mark> marks = new TreeMap<>();

        /** Ends of uploaded files, by time: moments that were restorable. */
        private final TreeMap<Instant, Txid> moments = new TreeMap<>();

        Life(long seed) {
            random = new Random(seed);
            keep = new SnapshotKeep(
                    random.nextInt(3), random.nextInt(10), random.nextInt(5), random.nextInt(5), random.nextInt(2));
        }

        void run() throws Exception {
            test.begin(keep);
            for (int phase = 0; phase < 40; phase++) {
                switch (random.nextInt(5)) {
                    case 0 -> mark();
                    case 1 -> test.compaction = test.start(keep); // a restart
                    case 2 -> test.live(Duration.ofHours(1 + random.nextInt(5)), Duration.ofMinutes(3));
                    case 3 -> {
                        test.clock.advance(
                                Duration.ofHours(random.nextInt(60))); // nothing happens, or the process is down
                        test.work();
                    }
                    default -> test.live(Duration.ofHours(1 + random.nextInt(60)), Duration.ofMinutes(35));
                }
                moments.put(test.clock.instant(), test.database.txid());
                check();
            }
        }

        private void mark() throws IOException {
            test.compaction.uploaded(test.database.commit(test.replica));
            Txid txid = test.database.txid();
            Instant now = test.clock.instant();
            Mark mark = new Mark("m" + txid.value(), txid, now, now, null);
            test.replica.marks.put(mark.name(), mark.encode());
            marks.put(txid, mark);
            if (marks.size() > 3) {
                test.replica.marks.remove(marks.pollFirstEntry().getValue().name());
            }
        }

        private void check() throws Exception {
            List<LtxFileInfo> files = test.replica.all();
            for (Txid txid : marks.keySet()) {
                test.database.assertRestorable(test.replica, files, txid);
            }
            for (LtxFileInfo file : files) {
                if (file.level() == 9) {
                    test.database.assertRestorable(test.replica, files, file.maxTxid());
                }
            }
            test.database.assertRestorable(test.replica, files, test.database.txid());
            Instant limit = test.clock.instant().minus(DAY);
            for (Txid recent : moments.tailMap(limit).values()) { // the moment, or the end of the merged file around it
                Txid next = files.stream()
                        .map(LtxFileInfo::maxTxid)
                        .filter(end -> !end.isBefore(recent))
                        .min(Txid::compareTo)
                        .orElseThrow();
                test.database.assertRestorable(test.replica, files, next);
            }
            checkTiers(files);
        }

        /** For each period, the first snapshot ever published in it is there, or the last one before it. */
        private void checkTiers(List<LtxFileInfo> files) {
            long now = test.clock.millis();
            List<Txid> there = files.stream()
                    .filter(file -> file.level() == 9)
                    .map(LtxFileInfo::maxTxid)
                    .toList();
            for (SnapshotKeep.Period period : SnapshotKeep.Period.values()) {
                for (int ago = 0; ago < keep.count(period); ago++) {
                    long start = period.start(now, ago);
                    long end = period.start(now, ago - 1);
                    Txid expected = null;
                    for (var snapshot : test.published.entrySet()) {
                        long time = snapshot.getValue().toEpochMilli();
                        if (time < start) {
                            expected = snapshot.getKey();
                        } else if (time < end) {
                            expected = snapshot.getKey();
                            break;
                        }
                    }
                    if (expected != null) {
                        assertThat(there)
                                .as("%s %s ago of %s", period, ago, keep)
                                .contains(expected);
                    }
                }
            }
        }
    }
}
