package org.litestream4j.internal.pages;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;

/**
 * One state of the database: the files that lead to it, and where its pages are. Immutable.
 *
 * @param version as in {@link StateInfo}
 * @param lineage number of the history that the state belongs to; differs after the replica was begun anew
 * @param files in the order of their transactions, all of one page size
 */
record State(long version, int lineage, List<ReplicaFile> files, Layers layers) {

    // States are compared by identity: the same state may be found again through other files.

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }

    static State of(long version, int lineage, List<ReplicaFile> planned) {
        List<ReplicaFile> files = samePageSize(planned);
        return new State(version, lineage, files, Layers.of(files));
    }

    /** Returns the files after the last one with another page size than the newest has: these hold no page of the state. */
    private static List<ReplicaFile> samePageSize(List<ReplicaFile> files) {
        int pageSize = files.get(files.size() - 1).header().pageSize();
        int from = files.size() - 1;
        while (from > 0 && files.get(from - 1).header().pageSize() == pageSize) {
            from--;
        }
        return List.copyOf(files.subList(from, files.size()));
    }

    /** Returns the state after one more file. */
    State with(ReplicaFile newer, long newVersion) {
        if (newer.header().pageSize() != pageSize()) {
            return of(newVersion, lineage, List.of(newer));
        }
        List<ReplicaFile> all = new ArrayList<>(files);
        all.add(newer);
        return new State(newVersion, lineage, List.copyOf(all), layers.with(newer));
    }

    ReplicaFile newest() {
        return files.get(files.size() - 1);
    }

    private LtxHeader header() {
        return newest().header();
    }

    Txid txid() {
        return header().maxTxid();
    }

    int pageSize() {
        return header().pageSize();
    }

    long commit() {
        return header().commit();
    }

    Instant timestamp() {
        return Instant.ofEpochMilli(header().timestampMillis());
    }

    StateInfo info(Duration lag) {
        return new StateInfo(txid(), version, timestamp(), pageSize(), commit(), lag);
    }

    /** Returns whether a file of this state is also one of the other: then both have the same history. */
    boolean sharesFileWith(State other) {
        Set<LtxFileInfo> infos = new HashSet<>();
        other.files.forEach(file -> infos.add(file.info()));
        return files.stream().anyMatch(file -> infos.contains(file.info()));
    }

    /**
     * Returns whether another state, of the same TXID, is certainly this one, found through other files. A snapshot has
     * the time at which it was taken, so only the database's checksum or a common file tells.
     */
    boolean isSameAs(State other) {
        if (pageSize() != other.pageSize() || commit() != other.commit() || !txid().equals(other.txid())) {
            return false;
        }
        if (newest().databaseChecksum().isPresent()
                && other.newest().databaseChecksum().isPresent()) {
            return newest().databaseChecksum().equals(other.newest().databaseChecksum());
        }
        boolean sameName = newest().info().level() == other.newest().info().level()
                && newest().info().name().equals(other.newest().info().name());
        if (sameName && !newest().info().equals(other.newest().info())) {
            return false;
        }
        boolean snapshot = newest().info().level() == ReplicaClient.SNAPSHOT_LEVEL
                || other.newest().info().level() == ReplicaClient.SNAPSHOT_LEVEL;
        return timestamp().equals(other.timestamp()) || (snapshot && sharesFileWith(other));
    }
}
