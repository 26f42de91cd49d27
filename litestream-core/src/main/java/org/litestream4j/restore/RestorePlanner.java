package org.litestream4j.restore;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.restore.RestoreException.Reason;

/**
 * Chooses the files of a restore. Of the files that continue the current position without a gap, it repeatedly takes
 * the one that ends last. A file that begins at TXID 1 is a snapshot, so the same rule finds the first file.
 */
final class RestorePlanner {

    /** Orders by largest last transaction, then smallest first transaction, then highest level. */
    private static final Comparator<LtxFileInfo> PREFERENCE = Comparator.comparing(LtxFileInfo::maxTxid)
            .reversed()
            .thenComparing(LtxFileInfo::minTxid)
            .thenComparing(Comparator.comparingInt(LtxFileInfo::level).reversed());

    private final String replica;

    /** All files, ordered by first transaction. */
    private final List<LtxFileInfo> files;

    private final RestoreTarget target;

    private final Timestamps timestamps;

    private RestorePlanner(String replica, List<LtxFileInfo> files, RestoreTarget target, Timestamps timestamps) {
        this.replica = replica;
        this.files = files.stream()
                .sorted(Comparator.comparing(LtxFileInfo::minTxid))
                .toList();
        this.target = target;
        this.timestamps = timestamps;
    }

    /**
     * Returns a plan for the files listed on a replica.
     *
     * @param replica address of the replica, without secrets, for messages
     * @param files files of all levels, in any order
     * @param timestamps source of exact timestamps; used for few files, and only for a restore by time or for a
     *     message
     */
    static RestorePlan plan(String replica, List<LtxFileInfo> files, RestoreTarget target, Timestamps timestamps)
            throws IOException {
        return new RestorePlanner(replica, files, target, timestamps).plan();
    }

    /**
     * Returns the files, snapshots excluded, that continue a database from a position as far as possible; empty if
     * there are none.
     */
    static List<LtxFileInfo> following(Txid position, List<LtxFileInfo> files) throws IOException {
        List<LtxFileInfo> increments =
                files.stream().filter(file -> file.minTxid().value() != 1).toList();
        return new RestorePlanner("", increments, RestoreTarget.latest(), LtxFileInfo::timestamp).choose(position);
    }

    /** Returns the restorable range; empty if no file starts at TXID 1. */
    static Optional<RestorableRange> range(List<LtxFileInfo> files, Timestamps timestamps) throws IOException {
        LtxFileInfo earliest = null;
        LtxFileInfo latest = null;
        for (LtxFileInfo file : files) {
            if (file.minTxid().value() == 1
                    && (earliest == null || file.maxTxid().isBefore(earliest.maxTxid()))) {
                earliest = file;
            }
            if (latest == null || file.maxTxid().isAfter(latest.maxTxid())) {
                latest = file;
            }
        }
        if (earliest == null || latest == null) {
            return Optional.empty();
        }
        return Optional.of(new RestorableRange(
                earliest.maxTxid(), timestamps.of(earliest), latest.maxTxid(), timestamps.of(latest)));
    }

    private RestorePlan plan() throws IOException {
        if (files.isEmpty()) {
            throw new RestoreException(
                    Reason.NO_BACKUP, replica, "there is no backup", "check the replica's address", null);
        }
        List<LtxFileInfo> chosen = choose(Txid.NONE);
        Txid reached =
                chosen.isEmpty() ? Txid.NONE : chosen.get(chosen.size() - 1).maxTxid();
        check(reached);
        return new RestorePlan(chosen, List.of());
    }

    private List<LtxFileInfo> choose(Txid start) throws IOException {
        List<LtxFileInfo> chosen = new ArrayList<>();
        PriorityQueue<LtxFileInfo> candidates = new PriorityQueue<>(PREFERENCE);
        Txid position = start;
        int next = 0;
        while (true) {
            for (; next < files.size() && !startsBeyond(files.get(next), position); next++) {
                if (isWithinTxid(files.get(next))) {
                    candidates.add(files.get(next));
                }
            }
            LtxFileInfo best = pollBest(candidates, position);
            if (best == null) {
                return chosen;
            }
            chosen.add(best);
            position = best.maxTxid();
        }
    }

    /**
     * Removes candidates until one is usable. A file that is too new is never usable later, nor is a file that ends
     * before the position. If the listing does not show whether files are too new, their exact timestamps are requested
     * from the store, oldest first, up to the first file of each level that is too new.
     */
    private @Nullable LtxFileInfo pollBest(PriorityQueue<LtxFileInfo> candidates, Txid position) throws IOException {
        Deque<LtxFileInfo> open = new ArrayDeque<>();
        LtxFileInfo best = null;
        while (best == null) {
            LtxFileInfo file = candidates.poll();
            if (file == null || !file.maxTxid().isAfter(position)) {
                break;
            }
            if (isListedOldEnough(file)) {
                best = file;
            } else if (!file.exact()) {
                open.push(file);
            }
        }
        BitSet ended = new BitSet(); // by level: a snapshot's timestamp may be later than its last transaction
        for (LtxFileInfo file : open) {
            if (ended.get(file.level())) {
                continue;
            }
            if (isOldEnough(file)) {
                best = file;
            } else {
                ended.set(file.level());
            }
        }
        return best;
    }

    private boolean isWithinTxid(LtxFileInfo file) {
        return !(target instanceof RestoreTarget.AtTxid at) || !file.maxTxid().isAfter(at.txid());
    }

    /**
     * Returns whether the listed timestamp proves that the file is old enough. An inexact timestamp is never earlier
     * than the real one.
     */
    private boolean isListedOldEnough(LtxFileInfo file) {
        return !(target instanceof RestoreTarget.AtTimestamp at)
                || file.timestamp().isBefore(at.timestamp());
    }

    private boolean isOldEnough(LtxFileInfo file) throws IOException {
        return isListedOldEnough(file)
                || (!file.exact()
                        && target instanceof RestoreTarget.AtTimestamp at
                        && timestamps.of(file).isBefore(at.timestamp()));
    }

    private static boolean startsBeyond(LtxFileInfo file, Txid position) {
        return file.minTxid().isAfter(position) && file.minTxid().previous().isAfter(position);
    }

    private void check(Txid reached) throws IOException {
        LtxFileInfo beyondHole = files.stream().anyMatch(file -> file.name().continues(reached))
                ? null
                : files.stream()
                        .filter(file -> startsBeyond(file, reached))
                        .findFirst()
                        .orElse(null);
        if (target instanceof RestoreTarget.AtTxid at) {
            checkTxid(at.txid(), reached, beyondHole);
        } else if (target instanceof RestoreTarget.AtTimestamp at) {
            checkTime(at.timestamp(), reached, beyondHole);
        } else if (beyondHole != null) {
            throw gap(reached, beyondHole);
        }
    }

    private void checkTxid(Txid wanted, Txid reached, @Nullable LtxFileInfo beyondHole) throws IOException {
        if (reached.equals(wanted)) {
            return;
        }
        if (beyondHole != null && !beyondHole.minTxid().isAfter(wanted)) {
            throw gap(reached, beyondHole);
        }
        Optional<RestorableRange> range = range(files, timestamps);
        throw new RestoreException(
                Reason.TXID_NOT_AVAILABLE,
                replica,
                "transaction not available: " + wanted + rangeText(range),
                reached.isNone() ? "" : "the nearest before it is " + reached,
                range.orElse(null),
                null);
    }

    private void checkTime(Instant wanted, Txid reached, @Nullable LtxFileInfo beyondHole) throws IOException {
        if (beyondHole != null) {
            LtxFileInfo missed = oldEnoughBeyond(reached);
            if (missed != null) {
                throw gap(reached, missed);
            }
        }
        if (!reached.isNone()) {
            return;
        }
        if (beyondHole != null) { // there are only newer files, and none of them starts at TXID 1
            throw gap(reached, beyondHole);
        }
        Optional<RestorableRange> range = range(files, timestamps);
        throw new RestoreException(
                Reason.TIME_NOT_AVAILABLE,
                replica,
                "no state older than " + wanted + " is kept" + rangeText(range),
                "choose a later time",
                range.orElse(null),
                null);
    }

    /**
     * Returns a file after the gap that belongs to the requested state. Only for the one that ends first is the exact
     * timestamp requested from the store.
     */
    private @Nullable LtxFileInfo oldEnoughBeyond(Txid reached) throws IOException {
        LtxFileInfo first = null;
        for (LtxFileInfo file : files) {
            if (startsBeyond(file, reached)) {
                if (isListedOldEnough(file)) {
                    return file;
                }
                if (!file.exact() && (first == null || file.maxTxid().isBefore(first.maxTxid()))) {
                    first = file;
                }
            }
        }
        return first != null && isOldEnough(first) ? first : null;
    }

    private RestoreException gap(Txid reached, LtxFileInfo next) throws IOException {
        Optional<RestorableRange> range = range(files, timestamps);
        return new RestoreException(
                Reason.GAP,
                replica,
                "transactions " + reached.next() + " to " + next.minTxid().previous() + " are missing before level "
                        + next.level() + " file " + next.name(),
                reached.isNone()
                        ? "no file starts at TXID 1: look for the missing files"
                        : "look for the missing files, or restore TXID " + reached + ", the last one before the gap",
                range.orElse(null),
                null);
    }

    static String rangeText(Optional<RestorableRange> range) {
        return range.map(known -> "; restorable is " + known).orElse("");
    }

    /** Returns the exact timestamp of a file; may send a request to the store. */
    @FunctionalInterface
    interface Timestamps {
        Instant of(LtxFileInfo file) throws IOException;
    }
}
