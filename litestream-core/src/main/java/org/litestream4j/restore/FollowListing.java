package org.litestream4j.restore;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;

/**
 * Looks for files after a position, with few requests: one listing of level 0 shows what is new. All levels are listed at the
 * start, after a failure or a pause, when level 0 has a hole, and every ten minutes. For one thread.
 */
final class FollowListing {

    /** Files of level 0 may be gone after it. */
    private static final long MAX_PAUSE = Duration.ofMinutes(1).toNanos();

    private static final long EVERYWHERE = Duration.ofMinutes(10).toNanos();

    private final ReplicaClient replica;
    private boolean everywhere = true;
    private long lastLook;
    private long lastEverywhere;

    FollowListing(ReplicaClient replica) {
        this.replica = replica;
    }

    /**
     * What there is.
     *
     * @param files that lead on from the position, perhaps none
     * @param newest TXID that is listed, if all levels were, else of the files; {@link Txid#NONE} if there is none
     * @param isBehind whether the replica ends before the position
     * @param isOvertaken whether there is something newer, and no file without snapshots leads on
     */
    record Found(List<LtxFileInfo> files, Txid newest, boolean isBehind, boolean isOvertaken) {}

    /** The next look is at all levels. */
    void lookEverywhere() {
        everywhere = true;
    }

    Found after(Txid position) throws IOException {
        long now = System.nanoTime();
        boolean all = everywhere || now - lastLook > MAX_PAUSE || now - lastEverywhere > EVERYWHERE;
        everywhere = true; // until this look has succeeded
        Found found = all ? inAllLevels(position) : inLevel0(position);
        everywhere = false;
        lastLook = now;
        return found;
    }

    private Found inLevel0(Txid position) throws IOException {
        List<LtxFileInfo> listed = new ArrayList<>();
        replica.list(0, position.next(), listed::add);
        List<LtxFileInfo> files = RestorePlanner.following(position, listed);
        if (files.isEmpty() && !listed.isEmpty()) {
            return inAllLevels(position);
        }
        return new Found(files, files.isEmpty() ? Txid.NONE : last(files), false, false);
    }

    private Found inAllLevels(Txid position) throws IOException {
        ReplicaListing listing = ReplicaListing.of(replica);
        lastEverywhere = System.nanoTime();
        List<LtxFileInfo> files = RestorePlanner.following(position, listing.files());
        Txid newest = listing.newest();
        return new Found(files, newest, newest.isBefore(position), files.isEmpty() && newest.isAfter(position));
    }

    private static Txid last(List<LtxFileInfo> files) {
        return files.get(files.size() - 1).maxTxid();
    }
}
