package org.litestream4j.compaction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.replica.FaultyReplicaClient;
import org.litestream4j.replica.OpenedFile;

/** Gaps, damage and lost answers: nothing wrong is merged. */
class DamagedCompactionTest extends CompactionFixture {

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

    /** Files of a new history have the names of damaged files of the former one. */
    @Test
    void damageOfAFormerHistory_isForgotten() throws Exception {
        commit(5, Duration.ofSeconds(1));
        replica.damage(0, name(4, 4), 130);
        assertThatThrownBy(() -> compaction.run(true)).isInstanceOf(LtxFormatException.class);
        assertThat(compaction.isSnapshotDue(database.txid())).isTrue();

        ModelDatabase next = beginAnew();
        for (int i = 0; i < 5; i++) {
            compaction.uploaded(next.commit(replica));
        }
        assertThat(compaction.run(true)).isTrue();
        assertThat(replica.names(1)).containsExactly(name(2, 7));
        assertThat(compaction.isSnapshotDue(next.txid())).isFalse();
        next.assertAllRestorable(replica);
    }

    private ModelDatabase beginAnew() throws IOException {
        for (int level = 0; level <= 9; level++) {
            for (LtxFileName file : replica.names(level)) {
                replica.remove(level, file);
            }
        }
        compaction.doubtAll();
        ModelDatabase next = new ModelDatabase(clock, 2);
        next.firstImage(replica).forEach(compaction::uploaded);
        return next;
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
