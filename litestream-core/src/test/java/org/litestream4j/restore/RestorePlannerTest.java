package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.restore.RestoreException.Reason;

class RestorePlannerTest {

    private static final int MAX = 12;

    private static LtxFileInfo file(int level, long min, long max, long seconds) {
        return new LtxFileInfo(
                level, new LtxFileName(new Txid(min), new Txid(max)), 100, Instant.ofEpochSecond(seconds), true);
    }

    private static LtxFileInfo file(int level, long min, long max) {
        return file(level, min, max, 1000 + max);
    }

    private static RestorePlan plan(RestoreTarget target, LtxFileInfo... files) throws IOException {
        return RestorePlanner.plan("file:///replica", List.of(files), target, LtxFileInfo::timestamp);
    }

    private static RestoreTarget txid(long txid) {
        return RestoreTarget.txid(new Txid(txid));
    }

    private static RestoreTarget time(long seconds) {
        return RestoreTarget.timestamp(Instant.ofEpochSecond(seconds));
    }

    private static void assertFails(ThrowingCallable call, Reason reason, String... parts) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(RestoreException.class, e -> {
                    assertThat(e.reason()).isEqualTo(reason);
                    for (String part : parts) {
                        assertThat(e).hasMessageContaining(part);
                    }
                })
                .hasMessageStartingWith("file:///replica: ");
    }

    @Test
    void plan_noFiles_isNoBackup() {
        for (RestoreTarget target : List.of(RestoreTarget.latest(), txid(1), time(1))) {
            assertFails(() -> plan(target), Reason.NO_BACKUP);
        }
    }

    @Test
    void plan_latest_takesSnapshotThenLargestSteps() throws IOException {
        LtxFileInfo snapshot = file(9, 1, 4);
        LtxFileInfo hour = file(3, 5, 8);
        LtxFileInfo minutes = file(2, 7, 10);
        LtxFileInfo last = file(0, 0xb, 0xb);
        RestorePlan plan = plan(
                RestoreTarget.latest(),
                file(0, 5, 5),
                file(0, 9, 9),
                file(0, 0xa, 0xa),
                last,
                file(9, 1, 2),
                snapshot,
                minutes,
                hour);
        assertThat(plan.files()).containsExactly(snapshot, hour, minutes, last);
        assertThat(plan.txid()).isEqualTo(new Txid(0xb));
        assertThat(plan.bytes()).isEqualTo(400);
    }

    @Test
    void plan_sameReach_prefersSmallestFirstThenHighestLevel() throws IOException {
        LtxFileInfo snapshot = file(9, 1, 4);
        LtxFileInfo wanted = file(2, 3, 9);
        assertThat(plan(RestoreTarget.latest(), snapshot, file(3, 4, 9), file(1, 3, 9), wanted, file(0, 9, 9))
                        .files())
                .containsExactly(snapshot, wanted);
    }

    @Test
    void plan_txid_neverGoesBeyond() throws IOException {
        LtxFileInfo first = file(0, 1, 1);
        LtxFileInfo second = file(1, 2, 3);
        LtxFileInfo third = file(0, 4, 4);
        assertThat(plan(txid(4), file(9, 1, 5), first, second, third, file(1, 2, 6))
                        .files())
                .containsExactly(first, second, third);
    }

    @Test
    void plan_txidMergedAway_saysNearestAndRange() {
        assertFails(
                () -> plan(txid(3), file(9, 1, 1), file(9, 1, 4), file(1, 2, 4), file(0, 5, 5)),
                Reason.TXID_NOT_AVAILABLE,
                "0000000000000003",
                "the nearest before it is 0000000000000001",
                "TXID 0000000000000001 (1970-01-01T00:16:41Z) to 0000000000000005 (1970-01-01T00:16:45Z)");
    }

    @Test
    void plan_txidBeyondTheNewest_saysRange() {
        assertFails(
                () -> plan(txid(9), file(9, 1, 4)), Reason.TXID_NOT_AVAILABLE, "nearest before it is 0000000000000004");
    }

    @Test
    void plan_hole_isNamedAndNeverAnOlderState() {
        LtxFileInfo[] files = {file(9, 1, 4), file(0, 5, 5), file(0, 8, 8), file(0, 9, 9)};
        assertFails(
                () -> plan(RestoreTarget.latest(), files),
                Reason.GAP,
                "0000000000000006 to 0000000000000007",
                "level 0 file 0000000000000008-0000000000000008.ltx",
                "restore TXID 0000000000000005");
        assertFails(() -> plan(txid(9), files), Reason.GAP, "0000000000000006 to 0000000000000007");
        assertFails(() -> plan(txid(6), files), Reason.TXID_NOT_AVAILABLE);
        assertFails(() -> plan(time(5000), files), Reason.GAP, "0000000000000006 to 0000000000000007");
    }

    @Test
    void plan_nothingStartsAtOne_isAGap() {
        assertFails(
                () -> plan(RestoreTarget.latest(), file(0, 2, 2)),
                Reason.GAP,
                "0000000000000001 to 0000000000000001",
                "no file starts at TXID 1");
        assertFails(() -> plan(time(5), file(0, 2, 2)), Reason.GAP);
    }

    @Test
    void plan_time_endsAtNewestFileThatIsOlder() throws IOException {
        LtxFileInfo snapshot = file(9, 1, 4, 100);
        LtxFileInfo next = file(0, 5, 5, 110);
        LtxFileInfo[] files = {snapshot, next, file(0, 6, 6, 120), file(1, 5, 6, 120), file(9, 1, 6, 130)};
        assertThat(plan(time(120), files).files()).containsExactly(snapshot, next);
        assertThat(plan(time(110), files).files()).containsExactly(snapshot);
        assertThat(plan(time(121), files).txid()).isEqualTo(new Txid(6));
        assertThat(plan(time(9999), files).txid()).isEqualTo(new Txid(6));
        assertFails(
                () -> plan(time(100), files),
                Reason.TIME_NOT_AVAILABLE,
                "1970-01-01T00:01:40Z",
                "restorable is TXID 0000000000000004 (1970-01-01T00:01:40Z)");
    }

    @Test
    void plan_timeInsideAMergedFile_givesTheOlderState() throws IOException {
        LtxFileInfo snapshot = file(9, 1, 4, 100);
        assertThat(plan(time(115), snapshot, file(1, 5, 8, 130), file(0, 9, 9, 140))
                        .files())
                .containsExactly(snapshot);
    }

    @Test
    void plan_inexactTimestamps_areAskedForOnlyWhereTheyDecide() throws IOException {
        List<LtxFileInfo> asked = new ArrayList<>();
        List<LtxFileInfo> files = new ArrayList<>();
        for (int i = 1; i <= 1000; i++) { // listed 50 s late
            files.add(new LtxFileInfo(0, LtxFileName.of(new Txid(i)), 1, Instant.ofEpochSecond(i + 50), false));
        }
        RestorePlan plan = RestorePlanner.plan("file:///replica", files, time(301), file -> {
            asked.add(file);
            return file.timestamp().minusSeconds(50);
        });
        assertThat(plan.txid()).isEqualTo(new Txid(300));
        assertThat(asked).hasSize(51);
    }

    @Test
    void range_files_spansOldestToNewestState() throws IOException {
        assertThat(RestorePlanner.range(
                        List.of(file(9, 1, 7, 10), file(9, 1, 3, 5), file(0, 8, 8, 11)), LtxFileInfo::timestamp))
                .contains(new RestorableRange(
                        new Txid(3), Instant.ofEpochSecond(5), new Txid(8), Instant.ofEpochSecond(11)));
        assertThat(RestorePlanner.range(List.of(file(0, 2, 2)), LtxFileInfo::timestamp))
                .isEmpty();
    }

    @Provide
    Arbitrary<List<LtxFileInfo>> listings() {
        Arbitrary<LtxFileInfo> files = Combinators.combine(
                        Arbitraries.integers().between(1, MAX),
                        Arbitraries.integers().between(0, 5),
                        Arbitraries.of(0, 1, 2, 3, 9),
                        Arbitraries.integers().between(1, 10))
                .as((min, length, level, time) -> level == 9
                        ? file(9, 1, Math.min(MAX, min + length), time)
                        : file(level, min, Math.min(MAX, min + length), time));
        return files.list().ofMaxSize(14);
    }

    @Property(tries = 1000)
    void plan_anyListingAndTxid_agreesWithTheModel(
            @ForAll("listings") List<LtxFileInfo> files, @ForAll("txids") int wanted) throws IOException {
        Set<Long> reachable = reachable(
                files.stream().filter(file -> file.maxTxid().value() <= wanted).toList());
        try {
            RestorePlan plan = RestorePlanner.plan("r", files, txid(wanted), LtxFileInfo::timestamp);
            assertThat(plan.txid().value()).isEqualTo(wanted);
            assertContiguous(plan);
            assertThat(reachable).contains((long) wanted);
        } catch (RestoreException e) {
            assertThat(reachable).doesNotContain((long) wanted);
            assertThat(e.reason()).isIn(Reason.NO_BACKUP, Reason.GAP, Reason.TXID_NOT_AVAILABLE);
        }
    }

    @Provide
    Arbitrary<Integer> txids() {
        return Arbitraries.integers().between(1, MAX + 1);
    }

    @Property(tries = 1000)
    void plan_anyListingLatest_agreesWithTheModel(@ForAll("listings") List<LtxFileInfo> files) throws IOException {
        long newest =
                files.stream().mapToLong(file -> file.maxTxid().value()).max().orElse(0);
        long reached = max(reachable(files));
        boolean beyond = files.stream().anyMatch(file -> file.minTxid().value() > reached + 1);
        try {
            RestorePlan plan = RestorePlanner.plan("r", files, RestoreTarget.latest(), LtxFileInfo::timestamp);
            assertThat(plan.txid().value()).isEqualTo(newest).isEqualTo(reached);
            assertContiguous(plan);
        } catch (RestoreException e) {
            assertThat(e.reason()).isEqualTo(files.isEmpty() ? Reason.NO_BACKUP : Reason.GAP);
            assertThat(files.isEmpty() || beyond).isTrue();
        }
    }

    @Property(tries = 1000)
    void plan_anyListingAndTime_agreesWithTheModel(
            @ForAll("listings") List<LtxFileInfo> files, @ForAll("times") int seconds) throws IOException {
        List<LtxFileInfo> old = files.stream()
                .filter(file -> file.timestamp().getEpochSecond() < seconds)
                .toList();
        long reached = max(reachable(old));
        boolean hole = files.stream().noneMatch(file -> file.name().continues(new Txid(reached)))
                && old.stream().anyMatch(file -> file.minTxid().value() > reached + 1);
        try {
            RestorePlan plan = RestorePlanner.plan("r", files, time(seconds), LtxFileInfo::timestamp);
            assertThat(plan.txid().value()).isEqualTo(reached);
            assertThat(hole).isFalse();
            assertThat(old).containsAll(plan.files());
            assertContiguous(plan);
        } catch (RestoreException e) {
            assertThat(hole || reached == 0).isTrue();
            assertThat(e.reason()).isIn(Reason.NO_BACKUP, Reason.GAP, Reason.TIME_NOT_AVAILABLE);
        }
    }

    @Provide
    Arbitrary<Integer> times() {
        return Arbitraries.integers().between(1, 11);
    }

    /** All states that some chain of files leads to, by trying everything. */
    private static Set<Long> reachable(List<LtxFileInfo> files) {
        Set<Long> reachable = new TreeSet<>(Set.of(0L));
        boolean grown = true;
        while (grown) {
            grown = false;
            for (LtxFileInfo file : files) {
                boolean continues = reachable.stream()
                        .anyMatch(at -> file.minTxid().value() <= at + 1
                                && file.maxTxid().value() > at);
                grown |= continues && reachable.add(file.maxTxid().value());
            }
        }
        reachable.remove(0L);
        return reachable;
    }

    private static long max(Set<Long> values) {
        return values.stream().mapToLong(Long::longValue).max().orElse(0);
    }

    private static void assertContiguous(RestorePlan plan) {
        long at = 0;
        for (LtxFileInfo file : plan.files()) {
            assertThat(file.minTxid().value()).isLessThanOrEqualTo(at + 1);
            assertThat(file.maxTxid().value()).isGreaterThan(at);
            at = file.maxTxid().value();
        }
    }
}
