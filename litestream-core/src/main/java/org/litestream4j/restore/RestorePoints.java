package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;

/**
 * States that can be restored from a replica.
 *
 * @param range range of restorable states; null if nothing can be restored
 * @param levels levels that contain files, ascending
 */
public record RestorePoints(@Nullable RestorableRange range, List<Level> levels) {

    public RestorePoints {
        levels = List.copyOf(levels);
    }

    static RestorePoints of(ReplicaListing listing) throws IOException {
        List<Level> levels = new ArrayList<>();
        for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
            int wanted = level;
            List<LtxFileInfo> files = listing.files().stream()
                    .filter(file -> file.level() == wanted)
                    .toList();
            if (!files.isEmpty()) {
                levels.add(Level.of(level, files));
            }
        }
        return new RestorePoints(RestorePlanner.range(listing.files(), listing).orElse(null), levels);
    }

    /**
     * The files of one level. The last transaction of each file is a restorable state, unless files before it are
     * missing.
     *
     * @param level 0 to 9; 9 contains the snapshots
     * @param files number of files
     * @param bytes total size of the files in bytes
     * @param minTxid first transaction
     * @param maxTxid last transaction
     * @param earliest end of the oldest file, as listed by the store; the exact time may be slightly earlier
     * @param latest end of the newest file, as listed by the store; the exact time may be slightly earlier
     */
    public record Level(
            int level, int files, long bytes, Txid minTxid, Txid maxTxid, Instant earliest, Instant latest) {

        public Level {
            requireNonNull(minTxid, "minTxid");
            requireNonNull(maxTxid, "maxTxid");
            requireNonNull(earliest, "earliest");
            requireNonNull(latest, "latest");
        }

        private static Level of(int level, List<LtxFileInfo> files) {
            return new Level(
                    level,
                    files.size(),
                    files.stream().mapToLong(LtxFileInfo::size).sum(),
                    files.stream()
                            .map(LtxFileInfo::minTxid)
                            .min(Comparator.naturalOrder())
                            .orElseThrow(),
                    files.stream()
                            .map(LtxFileInfo::maxTxid)
                            .max(Comparator.naturalOrder())
                            .orElseThrow(),
                    files.stream()
                            .map(LtxFileInfo::timestamp)
                            .min(Comparator.naturalOrder())
                            .orElseThrow(),
                    files.stream()
                            .map(LtxFileInfo::timestamp)
                            .max(Comparator.naturalOrder())
                            .orElseThrow());
        }
    }
}
