package org.litestream4j.compaction;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
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
 * Deletes files that no restore within the retention needs, except snapshots that the tiers keep and files that restore
 * a marked state; never deletes the newest file of a level. Level-0 files are deleted in groups that correspond to whole
 * files of level 1, so that the end of every remaining file stays reachable. Not thread-safe, except for {@link #pins}.
 */
final class Retention {

    private static final Logger log = LoggerFactory.getLogger(Retention.class);

    /** Maximum number of files that are deleted after one listing of the marks. */
    private static final int MAX_NAMES_PER_REQUEST = 250;

    private static final long RETRY_REFUSED_NANOS = TimeUnit.HOURS.toNanos(1);
    private static final long RETRY_LOCKED_MILLIS = TimeUnit.MINUTES.toMillis(1);
    private static final long RETRY_MARK_MILLIS = TimeUnit.MINUTES.toMillis(10);

    private final ReplicaClient client;
    private final ReplicaIndex index;
    private final CompactionSettings settings;
    private final Fence fence;
    private final LongSupplier nanoTime;
    private final ClockCheck clocks = new ClockCheck();
    private final KeptSnapshots tiers;
    private final Pins pins;

    private final long[] deleted = new long[ReplicaClient.SNAPSHOT_LEVEL + 1];
    private final long[] refused = new long[ReplicaClient.SNAPSHOT_LEVEL + 1];
    private final long[] refusedAt = new long[ReplicaClient.SNAPSHOT_LEVEL + 1];
    private final long[] lockedUntil = new long[ReplicaClient.SNAPSHOT_LEVEL + 1];
    private @Nullable String refusal;
    private boolean clockProblem;
    private @Nullable String unreadableMark;
    private @Nullable String marksDenied;
    private long marksDeniedAt;

    /** Whether the marks were listed, and no file was deleted since. */
    private boolean marksListed;

    private final SnapshotGrace grace;

    private long level0DeletedAt = Long.MIN_VALUE / 2;

    /** Files that end before this transaction are not needed by any state within the retention. */
    private Txid floor = Txid.NONE;

    Retention(
            ReplicaClient client, ReplicaIndex index, CompactionSettings settings, Fence fence, LongSupplier nanoTime) {
        this.client = client;
        this.index = index;
        this.settings = settings;
        this.fence = fence;
        this.nanoTime = nanoTime;
        this.tiers = new KeptSnapshots(settings.snapshotKeep());
        this.pins = new Pins(client, fence);
        this.grace = new SnapshotGrace(client.url(), settings, nanoTime);
    }

    Pins pins() {
        return pins;
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
                : unreadableMark != null
                        ? "the mark " + unreadableMark + " cannot be read: nothing is deleted until it is removed"
                        : marksDenied != null
                                ? "the marks cannot be read: nothing is deleted until they can: " + marksDenied
                                : refused() > 0 ? refusal : null;
    }

    /** @param force whether to delete level-0 files that have just expired, too, instead of waiting for more */
    void run(long now, boolean force) throws IOException {
        clocks.begin(now, nanoTime.getAsLong(), newestTimestamp(now));
        boolean trusted = clocks.isTrusted(now, nanoTime.getAsLong());
        if (!trusted && !clockProblem) {
            log.warn("clock jumped, or differs much from the newest file, retention paused: replica={}", client.url());
        }
        clockProblem = !trusted;
        if (trusted) {
            deleteExpired(now, force);
        }
    }

    private void deleteExpired(long now, boolean force) throws IOException {
        List<LtxFileName> expired = first(index.snapshots(), expired(now));
        if (!settings.retentionEnabled()) {
            index.snapshots().remove(candidates(ReplicaClient.SNAPSHOT_LEVEL, now));
            advanceFloor(expired, List.of());
            for (int level = 0; level < ReplicaClient.SNAPSHOT_LEVEL; level++) {
                index.level(level).remove(candidates(level, now));
            }
            return;
        }
        advanceFloor(expired, unpinned(ReplicaClient.SNAPSHOT_LEVEL, now));
        boolean level0 = force || now >= level0NotBefore(now);
        boolean due = level0 && !due(0, now).isEmpty();
        for (int level = 1; level < levels() && !due; level++) {
            due = !due(level, now).isEmpty();
        }
        marksListed = false;
        if (!due || isMarksPause() || !knowMarks()) {
            return;
        }
        grace.check(
                unpinned(ReplicaClient.SNAPSHOT_LEVEL, now), index.snapshots().timestamps(), now);
        if (level0) {
            level0DeletedAt = now;
            delete(0, due(0, now), now);
        }
        List<LtxFileName> unwanted = unpinned(ReplicaClient.SNAPSHOT_LEVEL, now);
        delete(ReplicaClient.SNAPSHOT_LEVEL, due(ReplicaClient.SNAPSHOT_LEVEL, now), now);
        advanceFloor(expired, unwanted);
        for (int level = 1; level < ReplicaClient.SNAPSHOT_LEVEL; level++) {
            delete(level, due(level, now), now);
        }
        pins.removeExpired(Instant.ofEpochMilli(now));
    }

    /**
     * Lists the marks, unless they were listed after the last deletion: another process may have set one.
     *
     * @return whether all marks are known
     */
    private boolean knowMarks() throws IOException {
        if (marksListed) {
            return true;
        }
        try {
            pins.refresh();
        } catch (ReplicaAccessException e) {
            if (marksDenied == null) {
                log.warn("marks cannot be read, retention is paused: replica={}", client.url(), e);
            }
            marksDenied = e.getMessage();
            marksDeniedAt = nanoTime.getAsLong();
            return false;
        }
        marksDenied = null;
        unreadableMark = pins.unreadable();
        marksListed = unreadableMark == null;
        return marksListed;
    }

    private boolean isMarksPause() {
        return marksDenied != null
                && nanoTime.getAsLong() - marksDeniedAt < TimeUnit.MILLISECONDS.toNanos(RETRY_MARK_MILLIS);
    }

    /**
     * Returns the time before which level 0 is left alone. Each deletion costs a listing of the marks: files that expire
     * soon after each other are deleted together.
     */
    private long level0NotBefore(long now) {
        long next = level0DeletedAt + settings.level0Retention().toMillis();
        return level0DeletedAt > now ? now : next;
    }

    /**
     * Moves the floor up to the newest of the expired snapshots, but not beyond one that is to be deleted and still
     * exists: while it does, states after it can be restored.
     */
    private void advanceFloor(List<LtxFileName> expired, List<LtxFileName> unwanted) {
        Set<LtxFileName> remaining = new HashSet<>(unwanted);
        remaining.retainAll(index.snapshots().timestamps().keySet());
        for (LtxFileName name : expired) {
            if (remaining.contains(name)) {
                return;
            }
            floor = Txid.max(floor, name.max());
        }
    }

    private static int levels() {
        return ReplicaClient.SNAPSHOT_LEVEL + 1;
    }

    /** Returns the files of a level to be deleted now. */
    private List<LtxFileName> due(int level, long now) {
        if (isRefused(level) || now < lockedUntil[level]) {
            return List.of();
        }
        List<LtxFileName> names = unpinned(level, now);
        long locked = client.lockedFor().toMillis();
        if (locked > 0 && !names.isEmpty()) {
            Map<LtxFileName, Long> times = index.level(level).timestamps();
            names.removeIf(name -> times.getOrDefault(name, Long.MAX_VALUE - locked) + locked > now);
        }
        return names;
    }

    /** Returns the candidates of a level that no known mark keeps. */
    private List<LtxFileName> unpinned(int level, long now) {
        List<LtxFileName> names = candidates(level, now);
        if (!names.isEmpty()) {
            names.removeAll(
                    pins.files(index.levels(), Instant.ofEpochMilli(now)).get(level));
        }
        return names;
    }

    /** Returns the time at which a candidate of a level can be deleted; {@link Long#MAX_VALUE} if there is none. */
    private long pendingDue(int level, long now) {
        List<LtxFileName> names = isRefused(level) ? List.of() : unpinned(level, now);
        if (names.isEmpty()) {
            return Long.MAX_VALUE;
        }
        long earliest = Math.max(now, lockedUntil[level]);
        long locked = client.lockedFor().toMillis();
        if (locked > 0) {
            Map<LtxFileName, Long> times = index.level(level).timestamps();
            long unlocked = Long.MAX_VALUE;
            for (LtxFileName name : names) {
                unlocked = Math.min(unlocked, times.getOrDefault(name, now) + locked);
            }
            earliest = Math.max(earliest, unlocked);
        }
        return level == 0 ? Math.max(earliest, level0NotBefore(now)) : earliest;
    }

    /** Returns the files of a level that neither the retention nor the tiers keep. */
    private List<LtxFileName> candidates(int level, long now) {
        if (level == 0) {
            return expiredLevel0(now);
        }
        if (level == ReplicaClient.SNAPSHOT_LEVEL) {
            return expiredSnapshots(now);
        }
        LevelFiles files = index.level(level);
        int before = floor.isNone() ? 0 : files.firstAfter(floor.previous());
        return first(files, Math.min(before, files.count() - 1));
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
        long next = Math.min(level0Due(now), snapshotsDue(now));
        for (int level = 0; level < levels(); level++) {
            next = Math.min(next, pendingDue(level, now));
        }
        if (settings.retentionEnabled()) {
            next = Math.min(next, pins.nextExpiry(now));
        }
        if (unreadableMark != null || isMarksPause()) {
            next = Math.max(next, now + RETRY_MARK_MILLIS);
        }
        return next == Long.MAX_VALUE || !clockProblem
                ? next
                : Math.max(next, now + TimeUnit.NANOSECONDS.toMillis(ClockCheck.PAUSE_NANOS));
    }

    /** Returns the time at which further snapshots expire, or the choice of the tiers changes. */
    private long snapshotsDue(long now) {
        if (isRefused(ReplicaClient.SNAPSHOT_LEVEL)) {
            return Long.MAX_VALUE;
        }
        LevelFiles snapshots = index.snapshots();
        int cut = expired(now);
        long next = cut > 0 ? tiers.nextChange(now) : Long.MAX_VALUE;
        if (grace.isActive()) {
            return now + grace.remainingMillis();
        }
        if (cut + 1 < snapshots.count()) {
            long expires = snapshots.writtenBy()[cut + 1]
                    + settings.snapshotRetention().toMillis()
                    + 1;
            next = Math.min(next, expires);
        }
        return next;
    }

    /** Returns the time at which the next group of level-0 files expires. */
    private long level0Due(long now) {
        LevelFiles files = index.level(0);
        LevelFiles merged = index.level(1);
        int begin = 0;
        if (isRefused(0)) {
            return Long.MAX_VALUE;
        }
        if (!expiredLevel0(now).isEmpty()) { // pending, locked, or kept by a mark
            begin = level0Cut(now);
        }
        if (begin >= files.count() - 1) {
            return Long.MAX_VALUE;
        }
        int first = merged.firstAfter(files.max(begin).previous());
        if (first == merged.count()) {
            return Long.MAX_VALUE;
        }
        long[] writtenBy = files.writtenBy();
        long newest = writtenBy[begin];
        for (int i = begin + 1; i < files.count() && !files.max(i).isAfter(merged.max(first)); i++) {
            newest = Math.max(newest, writtenBy[i]);
        }
        return Math.max(newest + settings.level0Retention().toMillis() + 1, level0NotBefore(now));
    }

    /** Returns the number of level-0 files that have expired. */
    private int level0Cut(long now) {
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
        return Math.max(0, Math.min(cut, most));
    }

    private List<LtxFileName> expiredLevel0(long now) {
        return first(index.level(0), level0Cut(now));
    }

    /**
     * Returns the number of snapshots beyond the retention. The next newer one is beyond it, too: the last of them is the
     * beginning of the retained period.
     */
    private int expired(long now) {
        long limit = now - settings.snapshotRetention().toMillis();
        LevelFiles snapshots = index.snapshots();
        int cut = 0;
        long[] writtenBy = snapshots.writtenBy();
        while (cut + 1 < snapshots.count() && writtenBy[cut + 1] < limit) {
            cut++;
        }
        return cut;
    }

    private List<LtxFileName> expiredSnapshots(long now) {
        LevelFiles snapshots = index.snapshots();
        int cut = expired(now);
        List<LtxFileName> names = new ArrayList<>();
        if (cut > 0 && !grace.isActive()) {
            BitSet kept = tiers.of(snapshots, now);
            for (int i = 0; i < cut; i++) {
                if (!kept.get(i)) {
                    names.add(snapshots.name(i));
                }
            }
        }
        return names;
    }

    /** Returns the first files of a level, including files contained in them, in a new list. */
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

    private void delete(int level, List<LtxFileName> names, long now) throws IOException {
        if (names.isEmpty()) {
            return;
        }
        int refusedNow = 0;
        for (int from = 0; from < names.size(); from += MAX_NAMES_PER_REQUEST) {
            fence.ensure();
            if (isMarksPause() || !knowMarks()) {
                break;
            }
            List<LtxFileName> part =
                    new ArrayList<>(names.subList(from, Math.min(names.size(), from + MAX_NAMES_PER_REQUEST)));
            List<LtxFileName> refusedOfPart = deletePart(level, part, now);
            List<LtxFileName> gone = new ArrayList<>(part);
            gone.removeAll(refusedOfPart);
            index.level(level).remove(gone);
            deleted[level] += gone.size();
            refusedNow += now < lockedUntil[level] ? 0 : refusedOfPart.size();
        }
        refused[level] = refusedNow;
        refusedAt[level] = nanoTime.getAsLong();
    }

    /**
     * Deletes files and returns those that still exist.
     *
     * @param names those that a mark keeps are removed from this list
     */
    private List<LtxFileName> deletePart(int level, List<LtxFileName> names, long now) throws IOException {
        marksListed = false;
        try {
            pins.deleteUnpinned(level, names, index.levels(), Instant.ofEpochMilli(now));
            return List.of();
        } catch (ReplicaDeleteException e) {
            Instant locked = e.lockedUntil();
            if (locked != null) { // as configured; not an error
                lockedUntil[level] = Math.max(locked.toEpochMilli(), now + RETRY_LOCKED_MILLIS);
                return e.remaining();
            }
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
