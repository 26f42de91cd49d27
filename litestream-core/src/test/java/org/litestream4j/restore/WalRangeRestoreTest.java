package org.litestream4j.restore;

import java.io.IOException;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.restore.RestoreException.Reason;

/** Files of one chain whose ranges of the WAL do not continue each other were not written by one writer. */
class WalRangeRestoreTest extends RestoreFixture {

    private void wal(long txid, long offset, long size, int salt, long... pgnos) throws IOException {
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        for (long pgno : pgnos) {
            pages.put(pgno, model.page());
        }
        if (pages.containsKey(1L)) {
            System.arraycopy(ModelReplica.MAGIC, 0, pages.get(1L), 0, ModelReplica.MAGIC.length);
        }
        LtxHeader header = LtxHeader.of(
                PAGE,
                4,
                new Txid(txid),
                new Txid(txid),
                ModelReplica.timestamp(txid).toEpochMilli(),
                new WalRange(offset, size, salt, salt + 1));
        model.put(0, txid, txid, ModelReplica.encode(header, pages));
    }

    private void assertSoundUntil(long sound, long newest) throws IOException {
        for (long txid = sound + 1; txid <= newest; txid++) {
            RestoreOptions options = RestoreOptions.builder()
                    .target(RestoreTarget.txid(new Txid(txid)))
                    .build();
            assertFails(() -> restore(options), Reason.CHECKSUM, "last sound", "restore TXID " + new Txid(sound) + ",");
        }
        assertFails(() -> restore(RestoreOptions.defaults()), Reason.CHECKSUM, "ignore-database-checksum");
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
