package org.litestream4j.compaction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.DelegatingReplica;
import org.litestream4j.replica.FaultyReplicaClient;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaDeleteException;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.testing.ManualClock;

class CompactionTest {

    private static final CompactionSettings SETTINGS = new CompactionSettings(
            Levels.DEFAULT,
            Duration.ofMinutes(5),
            Duration.ofHours(24),
            Duration.ofHours(24),
            true,
            PageEncoding.BLOCK,
            true);

    private final ManualClock clock = new ManualClock();
    private final MemoryReplica replica = new MemoryReplica();
    private final ModelDatabase database = new ModelDatabase(clock, 1);
    private Compaction compaction = compaction(replica, SETTINGS, LocalLevel0.NONE);

    private Compaction compaction(ReplicaClient client, CompactionSettings settings, LocalLevel0 local) {
        return new Compaction(client, settings, local, Fence.NONE, clock, clock::nanoTime);
    }

    @BeforeEach
    void firstImage() throws IOException {
        database.firstImage(replica).forEach(compaction::uploaded);
        clock.advance(Duration.ofSeconds(30)); // the window in which the next files arrive may merge at once
    }

    private void commit(int count, Duration every) throws IOException {
        for (int i = 0; i < count; i++) {
            compaction.uploaded(database.commit(replica));
            clock.advance(every);
        }
    }

    private static LtxFileName name(long min, long max) {
        return new LtxFileName(new Txid(min), new Txid(max));
    }

    @Test
    void firstLevels_beginAtTwo() throws Exception {
        commit(3, Duration.ofSeconds(1));
        compaction.run(false);
        assertThat(replica.names(1)).containsExactly(name(2, 5));
        assertThat(replica.names(9)).containsExactly(name(1, 1));
        database.assertAllRestorable(replica);
    }

    @Test
    void oneFile_waitsForASecond() throws Exception {
        compaction.run(false);
        assertThat(replica.names(1)).isEmpty();
        assertThat(compaction.millisUntilDue(database.txid())).isNegative();
        commit(1, Duration.ofMinutes(1));
        compaction.run(false);
        assertThat(replica.names(1)).containsExactly(name(2, 3));
        assertThat(replica.names(2)).isEmpty();
    }

    @Test
    void sameWindow_isMergedOnce() throws Exception {
        commit(2, Duration.ofSeconds(1));
        compaction.run(false);
        commit(2, Duration.ofSeconds(1));
        compaction.run(false);
        assertThat(replica.names(1)).containsExactly(name(2, 4));
        assertThat(compaction.millisUntilDue(database.txid())).isEqualTo(26_000);
        clock.advance(Duration.ofSeconds(26));
        compaction.run(false);
        assertThat(replica.names(1)).containsExactly(name(2, 4), name(5, 6));
    }

    @Test
    void nothingNew_makesNoRequest() throws Exception {
        commit(100, Duration.ofSeconds(1));
        compaction.run(false);
        clock.advance(Duration.ofMinutes(10));
        compaction.run(false);
        long requests = replica.requests();
        for (int i = 0; i < 100; i++) {
            clock.advance(Duration.ofMinutes(10));
            compaction.run(false);
        }
        assertThat(replica.requests()).isEqualTo(requests);
    }

    @Test
    void idleDatabase_hasNoFurtherAppointment() throws Exception {
        commit(100, Duration.ofSeconds(1));
        for (int i = 0; i < 10_000; i++) {
            long millis = compaction.millisUntilDue(database.txid());
            if (millis < 0) {
                break;
            }
            clock.advance(Duration.ofMillis(millis));
            if (compaction.isSnapshotDue(database.txid())) {
                database.publishSnapshot(compaction);
            }
            compaction.run(false);
        }
        assertThat(compaction.millisUntilDue(database.txid())).isNegative();
        assertThat(compaction.isChangedSinceSnapshot(database.txid())).isFalse();
        assertThat(replica.names(9)).containsExactly(name(1, database.txid().value()));
        database.assertAllRestorable(replica);
    }

    @Test
    void longOutage_isCaughtUpInOneGo() throws Exception {
        for (int i = 0; i < 1000; i++) { // nobody merged meanwhile
            compaction.uploaded(database.commit(replica));
            clock.advance(Duration.ofSeconds(10));
        }
        compaction.run(false);
        assertThat(replica.names(1)).hasSizeLessThan(40); // no more inputs at once than connections
        assertThat(replica.names(2)).hasSizeLessThan(3);
        assertThat(replica.names(3)).hasSizeLessThan(2);
        database.assertAllRestorable(replica);
    }

    @Test
    void restart_listsOnceAndGoesOn() throws Exception {
        commit(100, Duration.ofSeconds(1));
        compaction.run(false);
        compaction = compaction(replica, SETTINGS, LocalLevel0.NONE);
        long lists = replica.lists;
        commit(100, Duration.ofSeconds(1));
        for (int i = 0; i < 10; i++) {
            clock.advance(Duration.ofMinutes(1));
            compaction.run(false);
        }
        assertThat(replica.lists).isEqualTo(lists + 10);
        assertThat(Validation.run(replica, true, () -> false).problems()).isEmpty();
        database.assertAllRestorable(replica);
    }

    @Test
    void gap_isNeverMergedAcross() throws Exception {
        commit(5, Duration.ofSeconds(1));
        replica.remove(0, name(4, 4));
        compaction = compaction(replica, SETTINGS, LocalLevel0.NONE);
        compaction.run(false);
        assertThat(replica.names(1)).containsExactly(name(2, 3), name(5, 7));
        assertThat(Validation.run(replica, false, () -> false).problems())
                .extracting(Validation.Problem::kind)
                .containsExactly(Validation.Kind.GAP, Validation.Kind.GAP, Validation.Kind.UNREACHABLE);
    }

    @Test
    void changedPageSize_isNeverMergedAcrossAndAsksForASnapshot() throws Exception {
        commit(3, Duration.ofSeconds(1));
        database.pageSize(1024);
        compaction.uploaded(database.image(replica));
        commit(2, Duration.ofSeconds(1));
        compaction.run(false);
        assertThat(replica.names(1)).containsExactly(name(2, 5), name(6, 8));
        assertThat(compaction.isSnapshotDue(database.txid())).isTrue();
        database.publishSnapshot(compaction);
        assertThat(compaction.isSnapshotDue(database.txid())).isFalse();
        clock.advance(Duration.ofMinutes(6));
        compaction.run(false);
        assertThat(replica.names(2)).containsExactly(name(2, 5)); // alone, as nothing can be merged to it any more
        database.assertRestorable(replica, replica.all(), database.txid());
    }

    @Test
    void localFiles_areNotFetched() throws Exception {
        compaction = compaction(replica, SETTINGS, (name, size) -> {
            long gets = replica.gets;
            var in = replica.open(0, name, 0, ReplicaClient.TO_END);
            replica.gets = gets;
            return new OpenedFile(in, OptionalLong.empty());
        });
        commit(20, Duration.ofSeconds(1));
        compaction.run(false);
        assertThat(replica.gets).isZero();
        assertThat(replica.names(1)).hasSize(1);
    }

    @Test
    void damagedLocalFile_isFetched() throws Exception {
        compaction = compaction(
                replica,
                SETTINGS,
                (name, size) -> name.equals(name(4, 4))
                        ? new OpenedFile(new ByteArrayInputStream(new byte[200]), OptionalLong.empty())
                        : null);
        commit(5, Duration.ofSeconds(1));
        compaction.run(false);
        assertThat(replica.names(1)).containsExactly(name(2, 7));
        database.assertAllRestorable(replica);
    }

    @Test
    void damagedFileOfTheReplica_isLeftOutOnceASnapshotHoldsIt() throws Exception {
        commit(5, Duration.ofSeconds(1));
        replica.damage(0, name(4, 4), 130);
        assertThatThrownBy(() -> compaction.run(false)).isInstanceOf(LtxFormatException.class);
        assertThat(replica.names(1)).containsExactly(name(2, 3));
        assertThat(compaction.isSnapshotDue(database.txid())).isTrue();
        database.publishSnapshot(compaction);
        clock.advance(Duration.ofMinutes(1));
        commit(1, Duration.ofSeconds(1));
        compaction.run(false);
        assertThat(replica.names(1)).containsExactly(name(2, 3), name(5, 8));
        database.assertRestorable(replica, replica.all(), database.txid());
    }

    @Test
    void unknownOutcome_isListedAndNotMergedTwice() throws Exception {
        FaultyReplicaClient faulty = new FaultyReplicaClient(replica);
        compaction = compaction(faulty, SETTINGS, LocalLevel0.NONE);
        commit(5, Duration.ofSeconds(1));
        faulty.failAfter(FaultyReplicaClient.Call.PUBLISH, 1);
        assertThatThrownBy(() -> compaction.run(false)).hasMessageContaining("fault");
        int lists = faulty.calls(FaultyReplicaClient.Call.LIST);
        clock.advance(Duration.ofMinutes(1));
        commit(5, Duration.ofSeconds(1));
        compaction.run(false);
        assertThat(faulty.calls(FaultyReplicaClient.Call.LIST)).isEqualTo(lists + 1);
        assertThat(replica.names(1)).containsExactly(name(2, 7), name(8, 12));
        assertThat(Validation.run(replica, true, () -> false).problems()).isEmpty();
    }

    @Test
    void level0_goesByWholeFilesOfLevelOne() throws Exception {
        commit(20, Duration.ofSeconds(1));
        clock.advance(Duration.ofSeconds(10));
        compaction.run(false);
        commit(20, Duration.ofSeconds(1));
        clock.advance(Duration.ofSeconds(10));
        compaction.run(false);
        clock.advance(Duration.ofMinutes(5).minusSeconds(25));
        compaction.run(false);
        assertThat(replica.names(0)).hasSize(20).startsWith(name(23, 23));
        database.assertAllRestorable(replica);
        clock.advance(Duration.ofMinutes(5));
        compaction.run(false);
        assertThat(replica.names(0)).containsExactly(name(42, 42));
        database.assertAllRestorable(replica);
    }

    @Test
    void level0_staysUntilItIsMerged() throws Exception {
        clock.advance(Duration.ofHours(1));
        compaction.run(false);
        assertThat(replica.names(0)).containsExactly(name(2, 2));
        assertThat(compaction.status().deleted()).isZero();
    }

    private void days(int days) throws IOException {
        for (int hour = 0; hour < 24 * days; hour++) {
            commit(4, Duration.ofMinutes(15));
            if (compaction.isSnapshotDue(database.txid())) {
                database.publishSnapshot(compaction);
            }
            compaction.run(false);
        }
    }

    @Test
    void snapshots_alwaysLeaveTheRetentionOfPast() throws Exception {
        for (int day = 0; day < 6; day++) {
            days(1);
            Instant asked = clock.instant().minus(SETTINGS.snapshotRetention());
            if (day > 1) {
                assertThat(replica.all())
                        .anyMatch(file -> file.level() == 9 && !file.timestamp().isAfter(asked));
            }
            database.assertAllRestorable(replica);
        }
        assertThat(replica.names(9)).hasSizeBetween(2, 3);
        assertThat(replica.files()).isLessThan(400);
        assertThat(compaction.status().deleted()).isPositive();
    }

    @Test
    void retentionDisabled_deletesNothing() throws Exception {
        compaction = compaction(
                replica,
                new CompactionSettings(
                        Levels.DEFAULT,
                        Duration.ofMinutes(5),
                        Duration.ofHours(24),
                        Duration.ofHours(24),
                        false,
                        PageEncoding.BLOCK,
                        true),
                LocalLevel0.NONE);
        days(4);
        assertThat(replica.deletes).isZero();
        assertThat(replica.names(0)).hasSize((int) database.txid().value() - 1);
        assertThat(compaction.millisUntilDue(database.txid())).isGreaterThanOrEqualTo(-1);
        database.assertAllRestorable(replica);
    }

    /** A machine that starts with a clock that was not set yet, or after a long rest: which, it cannot tell. */
    @Test
    void clockFarFromTheNewestFileAtTheStart_deletesNothingForAnHour() throws Exception {
        commit(60, Duration.ofSeconds(1));
        compaction.run(false);
        for (Duration jump : List.of(Duration.ofDays(30), Duration.ofDays(-60))) {
            clock.jump(jump);
            compaction = compaction(replica, SETTINGS, LocalLevel0.NONE);
            compaction.run(false);
            assertThat(replica.deletes).isZero();
            assertThat(compaction.status().retentionProblem()).contains("newest file");
        }
        clock.jump(Duration.ofDays(30));
        compaction = compaction(replica, SETTINGS, LocalLevel0.NONE);
        clock.advance(Duration.ofMinutes(10));
        compaction.run(false);
        assertThat(replica.deletes).as("the test could not fail").isPositive();
        database.assertAllRestorable(replica);
    }

    @Test
    void clockThatJumpsForward_deletesNothing() throws Exception {
        commit(60, Duration.ofSeconds(1));
        compaction.run(false);
        long files = replica.names(0).size();
        clock.jump(Duration.ofDays(100));
        compaction.run(false);
        clock.advance(Duration.ofMinutes(30));
        compaction.run(false);
        assertThat(replica.names(0)).hasSize((int) files);
        assertThat(replica.deletes).isZero();
        assertThat(compaction.status().retentionProblem()).contains("clock");
        for (int i = 0; i < 3; i++) {
            clock.advance(Duration.ofMinutes(30));
            compaction.run(false);
        }
        assertThat(compaction.status().retentionProblem()).isNull();
        assertThat(replica.deletes).isPositive();
        database.assertAllRestorable(replica);
    }

    @Test
    void clockThatJumpsBack_stopsNoLevel() throws Exception {
        commit(60, Duration.ofSeconds(1));
        compaction.run(false);
        clock.jump(Duration.ofDays(-100));
        for (int i = 0; i < 4; i++) {
            commit(30, Duration.ofSeconds(1));
            compaction.run(false);
        }
        assertThat(replica.names(1)).hasSize(5);
        assertThat(replica.names(2).size()).isPositive();
        assertThat(compaction.isSnapshotDue(database.txid())).isTrue();
        database.assertAllRestorable(replica);
    }

    @Test
    void gapThatAMergeMeets_isTold() throws Exception {
        commit(3, Duration.ofSeconds(1));
        compaction.run(true);
        assertThat(compaction.takeGap()).isFalse();
        database.commit(replica); // and nobody hears of it
        replica.remove(0, LtxFileName.of(database.txid()));
        commit(3, Duration.ofSeconds(1));
        compaction.run(true);
        assertThat(compaction.takeGap()).isTrue();
        assertThat(compaction.takeGap()).isFalse();
    }

    /** Stamped by a clock that was ahead. */
    @Test
    void fileFromTheFuture_doesNotKeepThoseBehindIt() throws Exception {
        commit(3, Duration.ofSeconds(1));
        clock.jump(Duration.ofHours(20));
        compaction.uploaded(database.commit(replica));
        clock.jump(Duration.ofHours(-20));
        commit(50, Duration.ofSeconds(10));
        Compaction next = compaction(replica, SETTINGS, LocalLevel0.NONE);
        next.run(true);
        clock.advance(Duration.ofMinutes(6));
        next.run(true);
        assertThat(replica.names(0)).hasSize(1);
    }

    @Test
    void failingDeletes_areTriedAgainAtOnce() throws Exception {
        boolean[] failing = {true};
        ReplicaClient passing = new DelegatingReplica(replica) {
            @Override
            public void delete(int level, Collection<LtxFileName> names) throws IOException {
                if (failing[0]) {
                    throw new ReplicaDeleteException(
                            url(), List.copyOf(names), "503 Slow Down", "", new IOException("503"));
                }
                super.delete(level, names);
            }
        };
        compaction = compaction(passing, SETTINGS, LocalLevel0.NONE);
        commit(60, Duration.ofSeconds(10));
        compaction.run(true);
        clock.advance(Duration.ofMinutes(6));
        assertThatThrownBy(() -> compaction.run(true)).isInstanceOf(IOException.class);
        assertThat(compaction.status().refused()).isZero();
        failing[0] = false;
        compaction.run(true);
        assertThat(replica.names(0)).hasSize(1);
    }

    /** As other programs may leave them. */
    @Test
    void fileInsideAnother_isHarmless() throws Exception {
        commit(6, Duration.ofSeconds(1));
        compaction.run(true); // 2 to 8
        assertThat(replica.names(1)).containsExactly(name(2, 8));
        write(1, name(3, 5));
        write(1, name(2, 4));
        commit(6, Duration.ofSeconds(1));
        Compaction next = compaction(replica, SETTINGS, LocalLevel0.NONE);
        next.run(true);
        assertThat(replica.names(1)).contains(name(9, 14));
        assertThat(Validation.run(replica, false, () -> false).problems())
                .allMatch(problem -> problem.kind() == Validation.Kind.CONTAINED)
                .hasSize(2);
        clock.advance(Duration.ofMinutes(6));
        next.run(true);
        assertThat(replica.names(0)).containsExactly(LtxFileName.of(database.txid()));
        database.assertRestorable(replica, replica.all(), database.txid());
    }

    private void write(int level, LtxFileName file) throws IOException {
        try (ReplicaUpload upload = replica.write(level, file, clock.instant())) {
            upload.write(new byte[200]);
            upload.publish();
        }
    }

    @Test
    void refusedDeletes_areReportedAndTriedAgainLater() throws Exception {
        List<Collection<LtxFileName>> asked = new ArrayList<>();
        ReplicaClient refusing = new DelegatingReplica(replica) {
            @Override
            public void delete(int level, Collection<LtxFileName> names) throws IOException {
                asked.add(names);
                List<LtxFileName> all = List.copyOf(names);
                super.delete(level, all.subList(1, all.size()));
                throw new ReplicaDeleteException(url(), all.subList(0, 1), "locked", "unlock it", null);
            }
        };
        compaction = compaction(refusing, SETTINGS, LocalLevel0.NONE);
        commit(60, Duration.ofSeconds(1));
        compaction.run(false);
        clock.advance(Duration.ofMinutes(10));
        compaction.run(false);
        assertThat(compaction.status().refused()).isEqualTo(1);
        assertThat(compaction.status().retentionProblem()).contains("locked");
        compaction.run(false);
        assertThat(asked).hasSize(1);
        clock.advance(Duration.ofHours(2));
        compaction.run(false);
        assertThat(asked).hasSize(2);
        assertThat(asked.get(1)).hasSize(1);
        database.assertAllRestorable(replica);
    }

    @Test
    void fence_keepsAwayFromAReplicaOfSomebodyElse() throws Exception {
        compaction = new Compaction(
                replica,
                SETTINGS,
                LocalLevel0.NONE,
                () -> {
                    throw new ReplicaConflictException("memory://", "not ours", "", null);
                },
                clock,
                clock::nanoTime);
        commit(60, Duration.ofSeconds(1));
        assertThatThrownBy(() -> compaction.run(false)).isInstanceOf(ReplicaConflictException.class);
        assertThatThrownBy(() -> database.publishSnapshot(compaction)).isInstanceOf(ReplicaConflictException.class);
        assertThat(replica.names(1)).isEmpty();
        assertThat(replica.names(9)).containsExactly(name(1, 1));
    }

    @Test
    void takenName_isListedAndTheLevelGoesOnBehindIt() throws Exception {
        commit(4, Duration.ofSeconds(1));
        compaction.refresh();
        Compaction other = compaction(
                replica,
                new CompactionSettings(
                        Levels.DEFAULT,
                        Duration.ofMinutes(5),
                        Duration.ofHours(24),
                        Duration.ofHours(24),
                        true,
                        PageEncoding.FRAME,
                        true),
                LocalLevel0.NONE);
        other.run(false);
        compaction.run(false);
        assertThat(replica.names(1)).containsExactly(name(2, 6));
        clock.advance(Duration.ofMinutes(1));
        commit(2, Duration.ofSeconds(1));
        compaction.run(false);
        assertThat(replica.names(1)).containsExactly(name(2, 6), name(7, 8));
        database.assertAllRestorable(replica);
    }

    @Test
    void snapshotWithDamage_isNotPublished() throws Exception {
        commit(5, Duration.ofSeconds(1));
        byte[] content = database.snapshot();
        content[150] ^= 1;
        assertThatThrownBy(() -> compaction.publishSnapshot(
                        name(1, 7),
                        clock.instant(),
                        OptionalLong.empty(),
                        new ByteArrayInputStream(content),
                        "snapshot"))
                .isInstanceOf(LtxFormatException.class);
        assertThat(replica.names(9)).containsExactly(name(1, 1));
    }

    @Test
    void validation_findsDamage() throws Exception {
        commit(60, Duration.ofSeconds(1));
        compaction.run(false);
        assertThat(Validation.run(replica, true, () -> false).problems()).isEmpty();
        LtxFileName merged = replica.names(1).get(0);
        replica.damage(1, merged, 140);
        assertThat(Validation.run(replica, false, () -> false).isSound()).isTrue();
        Validation.Result result = Validation.run(replica, true, () -> false);
        assertThat(result.isSound()).isFalse();
        assertThat(result.problems()).hasSize(1).allSatisfy(problem -> {
            assertThat(problem.kind()).isEqualTo(Validation.Kind.DAMAGED);
            assertThat(problem.file()).isEqualTo(merged);
        });
    }
}
