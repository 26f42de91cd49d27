package org.litestream4j.compaction;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaDeleteException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes files that no restore within the retention needs; never deletes the newest file of a level. Level-0 files are
 * deleted in groups that correspond to whole files of level 1, so that the end of every remaining file stays reachable.
 * Not thread-safe.
 */
final class Retention {

    private static final Logger log = LoggerFactory.getLogger(Retention.class);

    /** Maximum number of files that stores delete with one request. */
    private static final int MOST_NAMES = 1000;

    private static final long RETRY_REFUSED_NANOS = TimeUnit.HOURS.toNanos(1);

    private final ReplicaClient client;
    private final ReplicaIndex index;
    private final CompactionSettings settings;
    private final Fence fence;
    private final LongSupplier nanoTime;
    private final ClockCheck clocks = new ClockCheck();

    private final long[] deleted = new long[ReplicaClient.SNAPSHOT_LEVEL + 1];
    private final long[] refused = new long[ReplicaClient.SNAPSHOT_LEVEL + 1];
    private final long[] refusedAt = new long[ReplicaClient.SNAPSHOT_LEVEL + 1];
    private @Nullable String refusal;
    private boolean clockProblem;

    /** Files that end before this transaction follow only snapshots that were deleted. */
    private Txid floor = Txid.NONE;

    Retention(
            ReplicaClient client, ReplicaIndex index, CompactionSettings settings, Fence fence, LongSupplier nanoTime) {
        this.client = client;
        this.index = index;
        this.settings = settings;
        this.fence = fence;
        this.nanoTime = nanoTime;
    }

    /** Returns the number of deleted files of a level. */
    long deleted(int level) {
        return deleted[level];
    }

    /** Returns the files of level 0 by the reason for which they are kept. */
    CompactionStatus.Level0 level0(long now) {
        LevelFiles files = index.level(0);
        long limit = now - settings.level0Retention().toMillis();
        int merged = files.firstAfter(index.level(1).newest());
        int expired = 0;
        long[] writtenBy = files.writtenBy();
        for (int i = 0; i < merged; i++) {
            expired += writtenBy[i] < limit ? 1 : 0;
        }
        return new CompactionStatus.Level0(files.count() - merged, merged - expired, expired);
    }

    long refused() {
        long sum = 0;
        for (long count : refused) {
            sum += count;
        }
        return sum;
    }

    /** Returns the reason for which nothing, or not everything, is deleted; null if there is no problem. */
    @Nullable
    String problem() {
        return clockProblem
                ? "the clock jumped, or differs much from the newest file: nothing is deleted until the clock"
                        + " has run evenly for an hour"
                : refused() > 0 ? refusal : null;
    }

    void run(long now) throws IOException {
        clocks.begin(now, nanoTime.getAsLong(), newestTimestamp(now));
        boolean trusted = clocks.isTrusted(now, nanoTime.getAsLong());
        if (!trusted && !clockProblem) {
            log.warn("clock jumped, or differs much from the newest file, retention paused: replica={}", client.url());
        }
        clockProblem = !trusted;
        if (trusted) {
            expireLevel0(now);
            snapshots(now);
        }
    }

    private long newestTimestamp(long now) {
        long newest = Long.MIN_VALUE;
        for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
            LevelFiles files = index.level(level);
            newest = files.count() > 0 ? Math.max(newest, files.newestTimestamp()) : newest;
        }
        return newest == Long.MIN_VALUE ? now : newest;
    }

    /**
     * Returns the time at which the next deletion is due, in milliseconds since the epoch; {@link Long#MAX_VALUE} if
     * none becomes due without changes.
     */
    long nextDue(long now) {
        long next = Long.MAX_VALUE;
        if (!isRefused(0)) {
            next = Math.min(next, level0Due());
        }
        LevelFiles snapshots = index.snapshots();
        if (snapshots.count() > 1 && !isRefused(ReplicaClient.SNAPSHOT_LEVEL)) {
            next = Math.min(
                    next,
                    snapshots.writtenBy()[1] + settings.snapshotRetention().toMillis() + 1);
        }
        return next == Long.MAX_VALUE || !clockProblem
                ? next
                : Math.max(next, now + TimeUnit.NANOSECONDS.toMillis(ClockCheck.PAUSE_NANOS));
    }

    private long level0Due() {
        LevelFiles files = index.level(0);
        LevelFiles merged = index.level(1);
        if (files.count() < 2) {
            return Long.MAX_VALUE;
        }
        int first = merged.firstAfter(files.max(0).previous());
        if (first == merged.count()) {
            return Long.MAX_VALUE;
        }
        long[] writtenBy = files.writtenBy();
        long newest = writtenBy[0];
        for (int i = 1; i < files.count() && !files.max(i).isAfter(merged.max(first)); i++) {
            newest = Math.max(newest, writtenBy[i]);
        }
        return newest + settings.level0Retention().toMillis() + 1;
    }

    private void expireLevel0(long now) throws IOException {
        long limit = now - settings.level0Retention().toMillis();
        LevelFiles files = index.level(0);
        LevelFiles merged = index.level(1);
        int most = files.count() - 1; // the newest file is kept
        long[] writtenBy = files.writtenBy();
        int cut = 0;
        for (int i = 0; i < merged.count() && cut < most; i++) {
            int end = cut;
            boolean old = true;
            while (end < files.count() && !files.max(end).isAfter(merged.max(i))) {
                old &= writtenBy[end] < limit;
                end++;
            }
            if (!old) {
                break;
            }
            cut = end;
        }
        delete(0, first(files, Math.min(cut, most)));
    }

    private void snapshots(long now) throws IOException {
        long limit = now - settings.snapshotRetention().toMillis();
        LevelFiles snapshots = index.snapshots();
        int cut = 0;
        long[] writtenBy = snapshots.writtenBy();
        while (cut + 1 < snapshots.count() && writtenBy[cut + 1] < limit) {
            cut++;
        }
        List<LtxFileName> names = first(snapshots, cut);
        Set<LtxFileName> remaining = delete(ReplicaClient.SNAPSHOT_LEVEL, names);
        for (LtxFileName name : names) {
            if (remaining.contains(name)) {
                break; // this file and those after it can still be restored
            }
            floor = name.max();
        }
        if (!floor.isNone()) {
            for (int level = 1; level < ReplicaClient.SNAPSHOT_LEVEL; level++) {
                LevelFiles files = index.level(level);
                int before = files.firstAfter(floor.previous());
                delete(level, first(files, Math.min(before, files.count() - 1)));
            }
        }
    }

    /** Returns the first files of a level, including files contained in them. */
    private static List<LtxFileName> first(LevelFiles files, int count) {
        List<LtxFileName> names = new ArrayList<>();
        if (count > 0) {
            for (LtxFileInfo inside : files.contained()) {
                if (!inside.maxTxid().isAfter(files.max(count - 1))) {
                    names.add(inside.name());
                }
            }
        }
        for (int i = 0; i < count; i++) {
            names.add(files.name(i));
        }
        return names;
    }

    private boolean isRefused(int level) {
        return refused[level] > 0 && nanoTime.getAsLong() - refusedAt[level] < RETRY_REFUSED_NANOS;
    }

    /** Deletes files and returns those that still exist. */
    private Set<LtxFileName> delete(int level, List<LtxFileName> names) throws IOException {
        if (names.isEmpty()) {
            return Set.of();
        }
        if (!settings.retentionEnabled()) {
            index.level(level).remove(names);
            return Set.of();
        }
        if (isRefused(level)) {
            return Set.copyOf(names);
        }
        Set<LtxFileName> remaining = new HashSet<>();
        for (int from = 0; from < names.size(); from += MOST_NAMES) {
            List<LtxFileName> part = names.subList(from, Math.min(names.size(), from + MOST_NAMES));
            List<LtxFileName> refusedOfPart = deletePart(level, part);
            remaining.addAll(refusedOfPart);
            List<LtxFileName> gone = new ArrayList<>(part);
            gone.removeAll(refusedOfPart);
            index.level(level).remove(gone);
            deleted[level] += gone.size();
        }
        refused[level] = remaining.size();
        refusedAt[level] = nanoTime.getAsLong();
        return remaining;
    }

    private List<LtxFileName> deletePart(int level, List<LtxFileName> names) throws IOException {
        fence.ensure();
        try {
            client.delete(level, names);
            return List.of();
        } catch (ReplicaDeleteException e) {
            if (!e.isRefusal()) {
                throw e; // transient: retried with the next run
            }
            noteRefusal(level, e);
            return e.remaining();
        } catch (ReplicaAccessException e) {
            noteRefusal(level, e);
            return names;
        }
    }

    private void noteRefusal(int level, IOException e) {
        refusal = e.getMessage();
        if (refused[level] == 0) {
            log.warn("replica refuses to delete files: replica={} level={}", client.url(), level, e);
        }
    }
}
