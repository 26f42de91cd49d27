package org.litestream4j.restore;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;

/**
 * Finds files after a position with few requests. One listing of level 0 shows the new files and is not repeated until
 * they have been taken. All levels are listed at the start, after a failure or a pause, when level 0 has a gap or lacks
 * the file of the position, and every ten minutes. Not thread-safe.
 */
final class FollowListing {

    /** Longest pause between two polls, in nanoseconds; after a longer one, files of level 0 may have been deleted. */
    private static final long MAX_PAUSE = Duration.ofMinutes(1).toNanos();

    /** Maximum number of files kept of one listing of level 0; each takes some hundred bytes. */
    private static final int MAX_REMEMBERED_FILES = 10_000;

    private static final long EVERYWHERE = Duration.ofMinutes(10).toNanos();

    private final ReplicaClient replica;
    private final LongSupplier nanoTime;
    private boolean everywhere = true;
    private List<LtxFileInfo> known = List.of();
    private final Set<LtxFileInfo> damaged = new HashSet<>();
    private long lastLook;
    private long lastEverywhere;

    FollowListing(ReplicaClient replica, LongSupplier nanoTime) {
        this.replica = replica;
        this.nanoTime = nanoTime;
    }

    /**
     * Result of a search.
     *
     * @param files files that continue from the position; may be empty
     * @param newest newest listed TXID if all levels were listed, otherwise newest TXID of the files;
     *     {@link Txid#NONE} if there is none
     * @param isBehind whether the replica ends before the position
     * @param isOvertaken whether the replica has newer files, but none except snapshots continues from the position
     */
    record Found(List<LtxFileInfo> files, Txid newest, boolean isBehind, boolean isOvertaken) {}

    /**
     * Excludes a damaged file until {@link #forgetDamage}; files of other levels may lead to the same state.
     *
     * @return whether the file is a listed file that was not excluded before
     */
    boolean exclude(LtxFormatException e) {
        return known.stream()
                .filter(file -> e.source().endsWith(" " + PlanSource.label(file)))
                .findFirst()
                .map(damaged::add)
                .orElse(false);
    }

    void forgetDamage() {
        damaged.clear();
    }

    private List<LtxFileInfo> following(Txid position, List<LtxFileInfo> files) throws IOException {
        return RestorePlanner.following(
                position, files.stream().filter(file -> !damaged.contains(file)).toList());
    }

    /** Lets the next search list all levels. */
    void listAllLevels() {
        everywhere = true;
    }

    Found after(Txid position) throws IOException {
        long now = nanoTime.getAsLong();
        boolean fresh = !everywhere && now - lastLook <= MAX_PAUSE;
        known = fresh ? after(known, position) : List.of();
        if (!known.isEmpty()) {
            return found(known);
        }
        boolean all = !fresh || now - lastEverywhere > EVERYWHERE;
        everywhere = true; // until this search has succeeded
        Found found = all ? inAllLevels(position) : inLevel0(position);
        everywhere = false;
        lastLook = now;
        known = found.files();
        return found;
    }

    /** Returns the files after a position, from a list of consecutive files. */
    private static List<LtxFileInfo> after(List<LtxFileInfo> files, Txid position) {
        for (int i = 0; i < files.size(); i++) {
            LtxFileInfo file = files.get(i);
            if (file.maxTxid().isAfter(position)) {
                return file.minTxid().isAfter(position.next()) ? List.of() : files.subList(i, files.size());
            }
        }
        return List.of();
    }

    /**
     * Finds files in level 0. The newest file of level 0 is never deleted: if nothing is listed from the position on,
     * the replica is a different one.
     */
    private Found inLevel0(Txid position) throws IOException {
        List<LtxFileInfo> listed = new ArrayList<>();
        replica.list(0, position, file -> {
            listed.add(file);
            return listed.size() < MAX_REMEMBERED_FILES;
        });
        List<LtxFileInfo> files = following(position, listed);
        boolean hole = files.isEmpty()
                && listed.stream().anyMatch(file -> file.minTxid().isAfter(position));
        boolean lost = listed.isEmpty() && nanoTime.getAsLong() - lastEverywhere > MAX_PAUSE;
        return hole || lost ? inAllLevels(position) : found(files);
    }

    private static Found found(List<LtxFileInfo> files) {
        return new Found(
                files, files.isEmpty() ? Txid.NONE : files.get(files.size() - 1).maxTxid(), false, false);
    }

    private Found inAllLevels(Txid position) throws IOException {
        ReplicaListing listing = ReplicaListing.of(replica);
        lastEverywhere = nanoTime.getAsLong();
        List<LtxFileInfo> files = following(position, listing.files());
        Txid newest = listing.newest();
        return new Found(files, newest, newest.isBefore(position), files.isEmpty() && newest.isAfter(position));
    }
}
