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
 * Chooses files: again and again, of those that continue the position without a gap, the one that leads furthest. A file
 * that begins at TXID 1 is a snapshot, so the same rule finds the start.
 */
final class RestorePlanner {

    /** Largest last transaction, then smallest first transaction, then highest level. */
    private static final Comparator<LtxFileInfo> PREFERENCE = Comparator.comparing(LtxFileInfo::maxTxid)
            .reversed()
            .thenComparing(LtxFileInfo::minTxid)
            .thenComparing(Comparator.comparingInt(LtxFileInfo::level).reversed());

    private final String replica;

    /** By first transaction. */
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
     * Makes a plan from what a replica lists.
     *
     * @param replica its address without secrets, for messages
     * @param files of all levels, in any order
     * @param timestamps asked for few files, and only for a restore by time or for a message
     */
    static RestorePlan plan(String replica, List<LtxFileInfo> files, RestoreTarget target, Timestamps timestamps)
            throws IOException {
        return new RestorePlanner(replica, files, target, timestamps).plan();
    }

    /** Files without snapshots that lead a database on from a position, as far as possible; empty if none does. */
    static List<LtxFileInfo> following(Txid position, List<LtxFileInfo> files) throws IOException {
        List<LtxFileInfo> increments =
                files.stream().filter(file -> file.minTxid().value() != 1).toList();
        return new RestorePlanner("", increments, RestoreTarget.latest(), LtxFileInfo::timestamp).choose(position);
    }

    /** What could be restored; empty if nothing starts at TXID 1. */
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
     * Takes candidates out until one fits. One that is too new stays so, and one that leads nowhere is behind for good. Where the
     * listing leaves open whether files are too new, the store is asked from the oldest on, up to the first of each level that is.
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
        BitSet ended = new BitSet(); // by level: a snapshot's time may be later than its last transaction
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

    /** An inexact timestamp is not before the real one: old enough means old enough. */
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
        if (beyondHole != null) { // only newer files, and none of them starts at TXID 1
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

    /** A file beyond a hole that belongs to the wanted state. Only of the one that ends first, the store is asked for its time. */
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

    /** Tells the exact timestamp of a file; may ask the store. */
    @FunctionalInterface
    interface Timestamps {
        Instant of(LtxFileInfo file) throws IOException;
    }
}
