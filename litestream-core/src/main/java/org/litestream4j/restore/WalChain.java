package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.restore.RestoreException.Reason;

/**
 * Checks that adjacent level-0 files come from one WAL. The range of WAL bytes in the header shows which states a file
 * continues: every state between its start and its end. Two programs that write to one replica break this chain, and
 * the states after the break never existed.
 */
final class WalChain {

    private WalChain() {}

    /**
     * Checks the files that follow the last complete image; files replaced by an image are irrelevant.
     *
     * @param headers headers of the sources
     * @param pages number of pages of each source
     * @throws RestoreException with {@link Reason#CHECKSUM} and the last valid TXID
     */
    static void check(List<PlanSource> sources, @Nullable LtxHeader[] headers, long[] pages) throws RestoreException {
        for (int i = sources.size() - 1; i > 0; i--) {
            LtxHeader next = requireNonNull(headers[i]);
            if (isImage(next, pages[i])) {
                return;
            }
            LtxHeader before = requireNonNull(headers[i - 1]);
            if (sources.get(i).info().level() == 0
                    && sources.get(i - 1).info().level() == 0
                    && next.minTxid().equals(before.maxTxid().next())
                    && !next.wal().follows(before.wal())) {
                throw broken(sources.get(i), before, next);
            }
        }
    }

    private static boolean isImage(LtxHeader header, long pages) {
        long lockPage = LockPage.pgno(header.pageSize());
        return pages >= header.commit() - (header.commit() >= lockPage ? 1 : 0);
    }

    private static RestoreException broken(PlanSource source, LtxHeader before, LtxHeader next) {
        return new RestoreException(
                Reason.CHECKSUM,
                source.client().url(),
                "each file is intact, but " + source.label() + " does not continue the state before it: it comes from "
                        + range(next.wal()) + ", and the file before from " + range(before.wal())
                        + ". Two programs have written to this replica, or a file was replaced",
                "restore TXID " + before.maxTxid()
                        + ", the last sound state before it, or a state from a later snapshot; to"
                        + " have it as it is, restore with {databaseChecksum=false}",
                null);
    }

    private static String range(WalRange wal) {
        return "bytes " + wal.offset() + " to " + (wal.offset() + wal.size()) + " of the WAL with salts "
                + Integer.toHexString(wal.salt1()) + " " + Integer.toHexString(wal.salt2());
    }
}
