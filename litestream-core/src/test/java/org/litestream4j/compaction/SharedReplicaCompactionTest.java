package org.litestream4j.compaction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxWriter;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaUpload;

/** Replicas to which others write, or wrote. */
class SharedReplicaCompactionTest extends CompactionFixture {

    private static final int FRAME = 512 + 24;

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

    /** Merged with the others, its pages would make states that never existed. */
    @Test
    void fileThatDoesNotContinueTheWal_isNeverMerged() throws Exception {
        range(3, 1, new WalRange(32, FRAME, 5, 77));
        range(4, 1, new WalRange(32 + FRAME, FRAME, 5, 77));
        range(5, 1, new WalRange(32, 9 * FRAME, 6, 99)); // another WAL, from its beginning
        range(6, 1, new WalRange(32 + 7 * FRAME, FRAME, 6, 99)); // another program's, of the same name
        range(7, 1, new WalRange(32 + 8 * FRAME, FRAME, 6, 99));
        Compaction next = compaction(replica, SETTINGS, LocalLevel0.NONE);
        assertThatThrownBy(() -> next.run(true)).hasMessageContaining("written by another program");
        assertThat(replica.names(1)).containsExactly(name(2, 5));
        assertThat(next.isSnapshotDue(new Txid(7))).isTrue();
    }

    /** The file before was merged by the process before. */
    @Test
    void fileThatDoesNotContinueTheWalOfAMergedOne_isNeverMerged() throws Exception {
        range(3, 1, new WalRange(32, FRAME, 5, 77));
        range(4, 1, new WalRange(32 + FRAME, FRAME, 5, 77));
        compaction(replica, SETTINGS, LocalLevel0.NONE).run(true);
        assertThat(replica.names(1)).containsExactly(name(2, 4));
        range(5, 1, new WalRange(32 + 7 * FRAME, FRAME, 6, 99)); // another program's
        range(6, 1, new WalRange(32 + 8 * FRAME, FRAME, 6, 99));
        clock.advance(Duration.ofMinutes(1));
        Compaction next = compaction(replica, SETTINGS, LocalLevel0.NONE);
        assertThatThrownBy(() -> next.run(true)).hasMessageContaining("written by another program");
        assertThat(replica.names(1)).containsExactly(name(2, 4));
        assertThat(next.isSnapshotDue(new Txid(6))).isTrue();
    }

    /** Another program has merged what does not belong together. */
    @ParameterizedTest
    @ValueSource(longs = {4, 5, 6})
    void mergedFileOfABrokenChain_isNeverMergedFurther(long broken) throws Exception {
        for (long txid = 3; txid <= 8; txid++) {
            boolean foreign = txid == broken;
            range(txid, 1, foreign ? new WalRange(32 + 99 * FRAME, FRAME, 6, 99) : ours(txid));
        }
        merged(2, 5);
        merged(6, 8);
        Compaction next = compaction(replica, SETTINGS, LocalLevel0.NONE);
        if (broken == 6) {
            next.run(true); // merges the sound one
        } else {
            assertThatThrownBy(() -> next.run(true)).hasMessageContaining("written by another program");
        }
        assertThat(replica.names(2)).isEqualTo(broken == 6 ? List.of(name(2, 5)) : List.of());
        assertThat(next.isSnapshotDue(new Txid(8))).isTrue();
    }

    @Test
    void mergedFilesOfASoundChain_areMergedFurther() throws Exception {
        for (long txid = 3; txid <= 8; txid++) {
            range(txid, 1, ours(txid));
        }
        merged(2, 5);
        merged(6, 8);
        Compaction next = compaction(replica, SETTINGS, LocalLevel0.NONE);
        next.run(true);
        assertThat(replica.names(2)).containsExactly(name(2, 8));
        assertThat(next.isSnapshotDue(new Txid(8))).isFalse();
    }

    private static WalRange ours(long txid) {
        return new WalRange(32 + (txid - 3) * FRAME, FRAME, 5, 77);
    }

    private void merged(long min, long max) throws IOException {
        LtxFileName name = name(min, max);
        try (ReplicaUpload upload = replica.write(1, name, clock.instant());
                LtxWriter writer = LtxWriter.open(
                        upload,
                        LtxHeader.of(512, 3, name.min(), name.max(), clock.millis(), WalRange.NONE),
                        PageEncoding.BLOCK)) {
            writer.writePage(1, new byte[512]);
            writer.finish(0);
            upload.publish();
        }
    }

    /** A new history has the same numbers and another WAL. */
    @Test
    void chainOfAFormerHistory_isForgotten() throws Exception {
        range(3, 1, ours(3));
        range(4, 1, ours(4));
        Compaction lasting = compaction(replica, SETTINGS, LocalLevel0.NONE);
        lasting.run(true);
        assertThat(replica.names(1)).containsExactly(name(2, 4));
        for (LtxFileName merged : replica.names(0)) {
            replica.remove(0, merged);
        }
        range(5, 1, new WalRange(32 + 9 * FRAME, FRAME, 6, 99));
        range(6, 1, new WalRange(32 + 10 * FRAME, FRAME, 6, 99));
        lasting.doubtAll();
        clock.advance(Duration.ofMinutes(1));
        lasting.run(true);
        assertThat(replica.names(1)).containsExactly(name(2, 4), name(5, 6));
    }

    /** It replaces all that is before it. */
    @Test
    void imageThatDoesNotContinueTheWal_isMerged() throws Exception {
        range(3, 1, new WalRange(32, FRAME, 5, 77));
        range(4, 3, new WalRange(32 + 7 * FRAME, FRAME, 6, 99));
        range(5, 1, new WalRange(32 + 8 * FRAME, FRAME, 6, 99));
        Compaction next = compaction(replica, SETTINGS, LocalLevel0.NONE);
        next.run(true);
        assertThat(replica.names(1)).containsExactly(name(2, 5));
        assertThat(next.isSnapshotDue(new Txid(5))).isFalse();
    }

    private void range(long txid, int pages, WalRange wal) throws IOException {
        LtxFileName name = LtxFileName.of(new Txid(txid));
        try (ReplicaUpload upload = replica.write(0, name, clock.instant());
                LtxWriter writer = LtxWriter.open(
                        upload,
                        LtxHeader.of(512, 3, name.min(), name.max(), clock.millis(), wal),
                        PageEncoding.BLOCK)) {
            for (int pgno = 1; pgno <= pages; pgno++) {
                writer.writePage(pgno, new byte[512]);
            }
            writer.finish(0);
            upload.publish();
        }
    }

    private void write(int level, LtxFileName file) throws IOException {
        try (ReplicaUpload upload = replica.write(level, file, clock.instant())) {
            upload.write(new byte[200]);
            upload.publish();
        }
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
                        SnapshotKeep.NONE,
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
}
