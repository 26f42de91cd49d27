package org.litestream4j.compaction;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;

/** The files of one level, ordered by name. Takes 32 bytes a file: a busy database has thousands of files. Not thread-safe. */
final class LevelFiles {

    private static final int MIN = 0;
    private static final int MAX = 1;
    private static final int TIMESTAMP = 2;
    private static final int SIZE = 3;
    private static final int ROW = 4;

    private final int level;
    private long[] rows = new long[4 * ROW];
    private int count;
    private long bytes;
    private Txid newest = Txid.NONE;
    private final List<LtxFileInfo> contained = new ArrayList<>();

    LevelFiles(int level) {
        this.level = level;
    }

    int count() {
        return count;
    }

    /** Returns the total size of all files in bytes. */
    long bytes() {
        return bytes;
    }

    /** Returns the newest transaction of all files. */
    Txid newest() {
        return newest;
    }

    Txid min(int i) {
        return new Txid(rows[i * ROW + MIN]);
    }

    Txid max(int i) {
        return new Txid(rows[i * ROW + MAX]);
    }

    LtxFileName name(int i) {
        return new LtxFileName(min(i), max(i));
    }

    /** Returns a timestamp in milliseconds since the epoch. */
    long timestamp(int i) {
        return rows[i * ROW + TIMESTAMP];
    }

    LtxFileInfo info(int i) {
        return new LtxFileInfo(level, name(i), rows[i * ROW + SIZE], Instant.ofEpochMilli(timestamp(i)), true);
    }

    /** Returns the timestamp of the last file, which is not the latest timestamp if the clock was set back. */
    long newestTimestamp() {
        return timestamp(count - 1);
    }

    /** Returns the index of the first file whose last transaction is after a TXID; {@link #count} if there is none. */
    int firstAfter(Txid txid) {
        int low = 0;
        int high = count;
        while (low < high) { // also ordered by max, unless a file contains another
            int middle = (low + high) >>> 1;
            if (max(middle).isAfter(txid)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    /** Returns the index of the first file whose first transaction is after a TXID; {@link #count} if there is none. */
    int firstStartingAfter(Txid txid) {
        int low = 0;
        int high = count;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (min(middle).isAfter(txid)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    /**
     * Returns the files that are contained in others. This program does not write such files, and no reader of the
     * level needs them.
     */
    List<LtxFileInfo> contained() {
        return List.copyOf(contained);
    }

    /**
     * Adds a file unless it is already present. In a level below the snapshots, of two files of which one contains the
     * other, only the outer one counts.
     */
    void add(LtxFileInfo file) {
        int at = count;
        while (at > 0 && name(at - 1).compareTo(file.name()) > 0) {
            at--;
        }
        if (at > 0 && name(at - 1).equals(file.name())) {
            return;
        }
        if (level < ReplicaClient.SNAPSHOT_LEVEL) {
            if (at > 0 && !file.maxTxid().isAfter(max(at - 1))) {
                contained.add(file);
                return;
            }
            at = removeInside(file, at);
        }
        if ((count + 1) * ROW > rows.length) {
            rows = Arrays.copyOf(rows, 2 * rows.length);
        }
        System.arraycopy(rows, at * ROW, rows, (at + 1) * ROW, (count - at) * ROW);
        rows[at * ROW + MIN] = file.minTxid().value();
        rows[at * ROW + MAX] = file.maxTxid().value();
        rows[at * ROW + TIMESTAMP] = file.timestamp().toEpochMilli();
        rows[at * ROW + SIZE] = file.size();
        count++;
        bytes += file.size();
        newest = Txid.max(newest, file.maxTxid());
    }

    /** Removes the files around a position that are contained in a file to be inserted there, and returns the new position. */
    private int removeInside(LtxFileInfo file, int at) {
        int from = at;
        while (from > 0 && min(from - 1).equals(file.minTxid())) {
            from--;
        }
        int to = at;
        while (to < count && !max(to).isAfter(file.maxTxid())) {
            to++;
        }
        for (int i = from; i < to; i++) {
            contained.add(info(i));
            bytes -= rows[i * ROW + SIZE];
        }
        System.arraycopy(rows, to * ROW, rows, from * ROW, (count - to) * ROW);
        count -= to - from;
        return from;
    }

    /**
     * Returns the latest time at which each file can have been written, in milliseconds since the epoch. A file is
     * never younger than the files after it, even if its timestamp comes from a clock that was ahead.
     */
    long[] writtenBy() {
        long[] times = new long[count];
        for (int i = count - 1; i >= 0; i--) {
            times[i] = i + 1 < count ? Math.min(timestamp(i), times[i + 1]) : timestamp(i);
        }
        return times;
    }

    /** Returns the timestamp of each file, contained files included, in milliseconds since the epoch. */
    Map<LtxFileName, Long> timestamps() {
        Map<LtxFileName, Long> times = new HashMap<>();
        for (int i = 0; i < count; i++) {
            times.put(name(i), timestamp(i));
        }
        contained.forEach(file -> times.put(file.name(), file.timestamp().toEpochMilli()));
        return times;
    }

    /** Removes files. The newest transaction remains known, even if its file is removed. */
    void remove(Collection<LtxFileName> names) {
        Set<LtxFileName> gone = new HashSet<>(names);
        contained.removeIf(file -> gone.contains(file.name()));
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (!gone.contains(name(i))) {
                System.arraycopy(rows, i * ROW, rows, kept * ROW, ROW);
                kept++;
            } else {
                bytes -= rows[i * ROW + SIZE];
            }
        }
        count = kept;
        if (rows.length > 8 * ROW && count * ROW < rows.length / 4) {
            rows = Arrays.copyOf(rows, rows.length / 2);
        }
    }
}
