package org.litestream4j.internal.replication;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;

/** Files of a replica that follow each other, as far as their names show. */
final class Chain {

    private Chain() {}

    /** Returns the newest transaction that a restore from these files reaches; {@link Txid#NONE} if there is none. */
    static Txid end(Collection<LtxFileInfo> files) {
        List<LtxFileInfo> sorted = files.stream()
                .sorted(Comparator.comparing(LtxFileInfo::minTxid))
                .toList();
        Txid end = Txid.NONE;
        Txid furthest = Txid.NONE;
        for (LtxFileInfo file : sorted) {
            if (file.minTxid().isAfter(end.next())) {
                end = furthest;
                if (file.minTxid().isAfter(end.next())) {
                    return end;
                }
            }
            furthest = Txid.max(furthest, file.maxTxid());
        }
        return furthest;
    }
}
