package org.litestream4j.internal.pages;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;

/**
 * One state of the database: the files that lead to it, and where its pages are. Immutable.
 *
 * @param version as in {@link StateInfo}
 * @param files in the order of their transactions, all of one page size
 */
record State(long version, List<ReplicaFile> files, PageMap layers) {

    // States are compared by identity: the same state may be found again through other files.

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }

    static State of(long version, List<ReplicaFile> planned) {
        List<ReplicaFile> files = samePageSize(planned);
        return new State(version, files, PageMap.of(files));
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
            return of(newVersion, List.of(newer));
        }
        List<ReplicaFile> all = new ArrayList<>(files);
        all.add(newer);
        return new State(newVersion, List.copyOf(all), layers.with(newer));
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

    /**
     * Returns whether a file of this state is also one of the other: then both have the same history up to the end of that
     * file. What follows it may differ.
     */
    boolean sharesFileWith(State other) {
        return files.size() > filesNotIn(other).size();
    }

    /** Returns the files of this state that are none of the other. */
    List<ReplicaFile> filesNotIn(State other) {
        Map<LtxFileInfo, ReplicaFile> others = new HashMap<>();
        other.files.forEach(file -> others.put(file.info(), file));
        return files.stream()
                .filter(file -> {
                    ReplicaFile there = others.get(file.info());
                    return there == null || !file.isSameObject(there);
                })
                .toList();
    }

    /** Returns the state after the newest file above level 0, whose files are kept for long; this one if there is none. */
    State withoutLevel0() {
        int end = files.size();
        while (end > 0 && files.get(end - 1).info().level() == 0) {
            end--;
        }
        return end == 0 || end == files.size() ? this : of(version, files.subList(0, end));
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
        if (contradicts(other)) {
            return false;
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

    /** Returns whether a file of both states, by its name, has other content in the other one. */
    private boolean contradicts(State other) {
        for (ReplicaFile file : files) {
            for (ReplicaFile there : other.files) {
                if (file.info().level() == there.info().level()
                        && file.info().name().equals(there.info().name())
                        && file.index().trailer().fileChecksum()
                                != there.index().trailer().fileChecksum()) {
                    return true;
                }
            }
        }
        return false;
    }
}
