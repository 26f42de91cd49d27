package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.restore.RestoreException.Reason;

/** Files of one chain whose ranges of the WAL do not continue each other were not written by one writer. */
class WalRangeRestoreTest extends RestoreFixture {

    private void wal(long txid, long offset, long size, int salt, long... pgnos) throws IOException {
        file(0, txid, txid, new WalRange(offset, size, salt, salt + 1), pgnos);
    }

    private void file(int level, long min, long max, WalRange wal, long... pgnos) throws IOException {
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        for (long pgno : pgnos) {
            pages.put(pgno, model.page());
        }
        if (pages.containsKey(1L)) {
            pages.put(1L, emptySchema());
        }
        LtxHeader header = LtxHeader.of(
                PAGE,
                4,
                new Txid(min),
                new Txid(max),
                ModelReplica.timestamp(max).toEpochMilli(),
                wal);
        model.put(level, min, max, ModelReplica.encode(header, pages));
    }

    /** The first page of a database of four pages without tables. */
    private static byte[] emptySchema() {
        ByteBuffer page = ByteBuffer.allocate(PAGE).put(ModelReplica.MAGIC);
        page.putShort(16, (short) PAGE).put(18, (byte) 1).put(19, (byte) 1);
        page.put(21, (byte) 64)
                .put(22, (byte) 32)
                .put(23, (byte) 32)
                .putInt(28, 4)
                .putInt(44, 4)
                .putInt(56, 1);
        page.put(100, (byte) 13).putShort(105, (short) PAGE);
        return page.array();
    }

    private void assertSoundUntil(long sound, long newest) throws IOException {
        for (long txid = sound + 1; txid <= newest; txid++) {
            RestoreOptions options = RestoreOptions.builder()
                    .target(RestoreTarget.txid(new Txid(txid)))
                    .build();
            assertFails(() -> restore(options), Reason.CHECKSUM, "last sound", "restore TXID " + new Txid(sound) + ",");
        }
        assertFails(() -> restore(RestoreOptions.defaults()), Reason.CHECKSUM, "databaseChecksum=false");
        restore(RestoreOptions.builder().compareChecksum(false).build());
        restore(RestoreOptions.builder()
                .force(true)
                .target(RestoreTarget.txid(new Txid(sound)))
                .build());
    }

    @Test
    void restore_fileOfAnotherWriterBetween_isRefusedWithTheLastSoundTxid() throws IOException {
        wal(1, 32, 4 * 536, 1, 1, 2, 3, 4);
        wal(2, 32 + 4 * 536, 536, 1, 2);
        wal(3, 32, 536, 9, 2); // the beginning of another program's WAL
        wal(4, 32 + 5 * 536, 536, 1, 3);
        assertSoundUntil(3, 4);
    }

    @Test
    void restore_rangesOfOneWalThatLeaveFramesOut_areRefused() throws IOException {
        wal(1, 32, 4 * 536, 1, 1, 2, 3, 4);
        wal(2, 32 + 4 * 536, 536, 1, 2);
        wal(3, 32 + 6 * 536, 536, 1, 3);
        wal(4, 32 + 7 * 536, 536, 1, 4);
        assertSoundUntil(2, 4);
    }

    @Test
    void restore_rangeThatEndsBeforeTheStateItFollows_isRefused() throws IOException {
        wal(1, 32, 4 * 536, 1, 1, 2, 3, 4);
        wal(2, 32 + 4 * 536, 5 * 536, 1, 2, 3);
        wal(3, 32 + 5 * 536, 536, 1, 3);
        assertSoundUntil(2, 3);
    }

    /** The files of level 0 are still there. */
    @ParameterizedTest
    @ValueSource(longs = {3, 4, 5, 6})
    void restore_brokenChainThatAnotherProgramMerged_isRefused(long broken) throws IOException {
        wal(1, 32, 4 * 536, 1, 1, 2, 3, 4);
        for (long txid = 2; txid <= 6; txid++) {
            boolean foreign = txid == broken;
            wal(txid, 32 + (foreign ? 99 : 2 + txid) * 536, 536, foreign ? 9 : 1, 2);
        }
        merged(2, 3);
        merged(4, 5);
        assertSoundUntil(broken - 1, 6);
    }

    /** Also where the broken file is merged, or its predecessor, or both. */
    @Test
    void restore_soundChainThatIsMerged_isNotRefused() throws IOException {
        wal(1, 32, 4 * 536, 1, 1, 2, 3, 4);
        for (long txid = 2; txid <= 6; txid++) {
            wal(txid, 32 + (2 + txid) * 536, 536, 1, 2);
        }
        wal(7, 32 + 99 * 536, 536, 9, 1, 2, 3, 4); // a complete image
        wal(8, 32 + 100 * 536, 536, 9, 2);
        merged(2, 3);
        merged(4, 8);
        for (long txid = 1; txid <= 8; txid++) {
            restore(RestoreOptions.builder()
                    .force(true)
                    .target(RestoreTarget.txid(new Txid(txid)))
                    .build());
        }
    }

    /** A snapshot makes irrelevant what is before it. */
    @Test
    void restore_brokenChainBeforeASnapshot_isNotRefused() throws IOException {
        wal(1, 32, 4 * 536, 1, 1, 2, 3, 4);
        wal(2, 32 + 4 * 536, 536, 1, 2);
        wal(3, 32 + 99 * 536, 536, 9, 2);
        wal(4, 32 + 100 * 536, 536, 9, 2);
        snapshot(4);
        wal(5, 32 + 101 * 536, 536, 9, 2);
        restore(RestoreOptions.defaults());
    }

    /** What the process before applied is compared, too. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void follow_fileOfAnotherWriterAfterARestart_isRefused(boolean merged) throws IOException {
        wal(1, 32, 4 * 536, 1, 1, 2, 3, 4);
        wal(2, 32 + 4 * 536, 536, 1, 2);
        followUntil(2);
        wal(3, 32 + 5 * 536, 536, 1, 2);
        if (merged) {
            merged(2, 3);
        }
        followUntil(3);
        wal(4, 32 + 99 * 536, 536, 9, 2);
        assertThatThrownBy(() -> followUntil(4))
                .isInstanceOfSatisfying(
                        RestoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CHECKSUM))
                .hasMessageContaining("restore TXID " + new Txid(3) + ",");
    }

    private void followUntil(long txid) throws IOException {
        AtomicLong reached = new AtomicLong();
        RestoreOptions options =
                RestoreOptions.builder().cancelled(() -> reached.get() >= txid).build();
        Restore.follow(client, target, options, Duration.ofMillis(1), new FollowListener() {
            @Override
            public void onState(FollowState state) {
                reached.set(state.txid().value());
            }

            @Override
            public void onProblem(IOException problem) {
                throw new AssertionError(problem);
            }

            @Override
            public void onRecovered() {
                // nothing to report
            }
        });
        assertThat(reached).hasValue(txid);
    }

    private void merged(long min, long max) throws IOException {
        file(1, min, max, WalRange.NONE, 2);
    }

    private void snapshot(long max) throws IOException {
        file(9, 1, max, WalRange.NONE, 1, 2, 3, 4);
    }

    @Test
    void restore_chainsThatContinue_areNotRefused() throws IOException {
        wal(1, 32, 4 * 536, 1, 1, 2, 3, 4);
        wal(2, 32 + 4 * 536, 536, 1, 2);
        wal(3, 32 + 3 * 536, 3 * 536, 1, 2, 3); // a part again, and more
        wal(4, 32, 536, 7, 2); // the WAL was reset
        wal(5, 32 + 536, 536, 7, 3);
        wal(6, 32 + 9 * 536, 536, 1, 1, 2, 3, 4); // a complete image
        wal(7, 32 + 10 * 536, 536, 1, 2);
        wal(8, 32, 0, 0, 3); // not from a WAL
        wal(9, 32, 536, 3, 3);
        for (long txid = 1; txid <= 9; txid++) {
            restore(RestoreOptions.builder()
                    .force(true)
                    .target(RestoreTarget.txid(new Txid(txid)))
                    .build());
        }
    }
}
