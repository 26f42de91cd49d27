package org.litestream4j.replica.file;

import java.io.IOException;
import java.util.List;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;

/**
 * Lists a folder to which another process adds files. A system reads a folder in an order of its own, so that of two
 * files that are added meanwhile, a scan can contain the later one alone. A reader would take the earlier one for lost.
 */
final class FolderListing {

    private FolderListing() {}

    /**
     * Returns the names of a level in order. Of the files that are added during the listing, it contains the first ones,
     * or none. This takes a second scan if the first one has a gap; snapshots do not continue each other.
     *
     * @param scan reads the folder once, and returns all names in order
     */
    static List<LtxFileName> list(int level, Scan scan) throws IOException {
        List<LtxFileName> first = scan.names();
        if (level == ReplicaClient.SNAPSHOT_LEVEL || isChain(first)) {
            return first;
        }
        // Files are added in the order of their TXIDs. The second scan has all that were added before the newest of the
        // first one.
        Txid newest = newest(first);
        return scan.names().stream().filter(name -> !name.max().isAfter(newest)).toList();
    }

    private static boolean isChain(List<LtxFileName> names) {
        Txid end = null;
        for (LtxFileName name : names) {
            if (end != null && name.min().isAfter(end) && !name.continues(end)) {
                return false;
            }
            end = end == null ? name.max() : Txid.max(end, name.max());
        }
        return true;
    }

    private static Txid newest(List<LtxFileName> names) {
        return names.stream().map(LtxFileName::max).reduce(Txid.NONE, Txid::max);
    }

    /** One scan of a folder. */
    @FunctionalInterface
    interface Scan {
        List<LtxFileName> names() throws IOException;
    }
}
