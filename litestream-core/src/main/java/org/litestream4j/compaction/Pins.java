package org.litestream4j.compaction;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.Mark;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.ReplicaClient;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files that marks keep. Marks of other processes are listed before each deletion; those of this process are known
 * before they are stored. Confined to one lane, except for {@link #announce}, {@link #stored}, {@link #tokens} and {@link
 * #withdraw}.
 */
final class Pins {

    private static final Logger log = LoggerFactory.getLogger(Pins.class);

    /** Time from the expiry of a mark to its removal. */
    private static final Duration REMOVED_AFTER = Duration.ofDays(1);

    private record Known(String version, @Nullable Mark mark) {}

    /** @param storedIn number of the listing before which the mark was stored; {@link Long#MAX_VALUE} until then */
    private record Announced(Mark mark, long storedIn) {}

    private final ReplicaClient client;
    private Map<String, Known> known = new HashMap<>();
    private final Map<Object, Announced> announced = new ConcurrentHashMap<>();
    private final AtomicLong listings = new AtomicLong();

    /** Held while a request deletes files, so that a mark is announced either before their choice or after the request. */
    private final ReentrantLock deleting = new ReentrantLock();

    private final Fence fence;

    Pins(ReplicaClient client, Fence fence) {
        this.client = client;
        this.fence = fence;
    }

    /**
     * Keeps the files of a mark that is about to be stored. Waits for the end of a running request that deletes files:
     * those that a plan finds afterwards stay.
     *
     * @return token of this announcement
     */
    Object announce(Mark mark) {
        Object token = new Object();
        deleting.lock();
        try {
            announced.put(token, new Announced(mark, Long.MAX_VALUE));
        } finally {
            deleting.unlock();
        }
        return token;
    }

    /** Records that an announced mark is stored: the next listing includes it. */
    void stored(Object token) {
        announced.computeIfPresent(token, (key, old) -> new Announced(old.mark(), listings.get()));
    }

    /** Returns the tokens of the announced marks of this name that are stored. */
    List<Object> tokens(String name) {
        List<Object> tokens = new ArrayList<>();
        announced.forEach((token, one) -> {
            if (one.mark().name().equals(name) && one.storedIn() != Long.MAX_VALUE) {
                tokens.add(token);
            }
        });
        return tokens;
    }

    /** Records that an announced mark is not stored, or was removed. */
    void withdraw(Object token) {
        announced.remove(token);
    }

    /**
     * Deletes files, except those that a known mark keeps now.
     *
     * @param names files to delete; those that are kept are removed from this list
     */
    void deleteUnpinned(int level, List<LtxFileName> names, List<LevelFiles> levels, Instant now) throws IOException {
        deleting.lock();
        try {
            names.removeAll(files(levels, now).get(level));
            if (!names.isEmpty()) {
                client.delete(level, List.copyOf(names));
            }
        } finally {
            deleting.unlock();
        }
    }

    /** Lists the marks, and reads the new ones. */
    void refresh() throws IOException {
        Optional<MarkStore> store = client.marks();
        if (store.isEmpty()) {
            return;
        }
        long begun = listings.incrementAndGet();
        Map<String, Known> found = new HashMap<>();
        for (MarkStore.Stored stored : store.get().list()) {
            Known old = known.get(stored.name());
            boolean same = old != null && old.mark() != null && old.version().equals(stored.version());
            Known read = same ? old : read(store.get(), stored);
            if (read != null) {
                found.put(stored.name(), read);
            }
        }
        known = found;
        announced.values().removeIf(mark -> mark.storedIn() < begun);
    }

    /**
     * Removes known marks that expired more than a day ago, so that processes whose clocks differ agree. A mark that was
     * set again under the same name stays.
     */
    void removeExpired(Instant now) throws IOException {
        Optional<MarkStore> store = client.marks();
        if (store.isEmpty()) {
            return;
        }
        for (Known one : List.copyOf(known.values())) {
            if (one.mark() != null && one.mark().isExpired(now.minus(REMOVED_AFTER))) {
                fence.ensure();
                removeExpired(store.get(), one.mark());
            }
        }
    }

    private @Nullable Known read(MarkStore store, MarkStore.Stored stored) throws IOException {
        Optional<byte[]> content = store.read(stored.name());
        if (content.isEmpty()) {
            return null; // removed in the meantime
        }
        try {
            return new Known(stored.version(), Mark.decode(stored.name(), content.get()));
        } catch (IllegalArgumentException e) {
            Known old = known.get(stored.name());
            if (old == null || !old.version().equals(stored.version())) {
                log.warn(
                        "mark cannot be read, retention is paused: replica={} mark={} problem={}",
                        client.url(),
                        stored.name(),
                        e.getMessage());
            }
            return new Known(stored.version(), null);
        }
    }

    private void removeExpired(MarkStore store, Mark mark) {
        try {
            Optional<byte[]> content = store.read(mark.name());
            if (content.isEmpty()
                    || !mark.equals(Mark.decode(mark.name(), content.get()))
                    || !store.remove(mark.name())) {
                return; // the next listing shows what there is
            }
            known.remove(mark.name());
            log.info("expired mark removed: replica={} txid={} mark={}", client.url(), mark.txid(), mark.name());
        } catch (IOException | IllegalArgumentException e) {
            log.debug("expired mark cannot be removed: replica={} mark={}", client.url(), mark.name(), e);
        }
    }

    /** Returns the name of a mark whose content cannot be read, so that its files are unknown; null if there is none. */
    @Nullable
    String unreadable() {
        for (Map.Entry<String, Known> one : known.entrySet()) {
            if (one.getValue().mark() == null) {
                return one.getKey();
            }
        }
        return null;
    }

    /** Returns the time at which the next known mark expires, in milliseconds since the epoch. */
    long nextExpiry(long now) {
        long next = Long.MAX_VALUE;
        for (Mark mark : marks()) {
            Instant expires = mark.expires();
            if (expires != null && expires.toEpochMilli() > now) {
                next = Math.min(next, expires.toEpochMilli());
            }
        }
        return next;
    }

    private List<Mark> marks() {
        List<Mark> marks = new ArrayList<>();
        known.values().forEach(one -> {
            if (one.mark() != null) {
                marks.add(one.mark());
            }
        });
        announced.values().forEach(one -> marks.add(one.mark()));
        return marks;
    }

    /** Returns the files that the known marks keep, by level. */
    List<Set<LtxFileName>> files(List<LevelFiles> levels, Instant now) {
        return files(marks(), levels, now);
    }

    /** Returns the files that restore the states of marks, by level. */
    static List<Set<LtxFileName>> files(Collection<Mark> marks, List<LevelFiles> levels, Instant now) {
        List<Set<LtxFileName>> pinned = new ArrayList<>();
        for (int level = 0; level < levels.size(); level++) {
            pinned.add(new HashSet<>());
        }
        Set<Txid> done = new HashSet<>();
        for (Mark mark : marks) {
            if (!mark.isExpired(now) && done.add(mark.txid())) {
                pin(mark.txid(), levels, pinned);
            }
        }
        return pinned;
    }

    /**
     * Follows a restore: of the files that continue the position and do not end after the target, it takes the one that
     * ends last. If files are missing, keeps those up to the gap: the newest files may not be known yet.
     */
    private static void pin(Txid target, List<LevelFiles> levels, List<Set<LtxFileName>> pinned) {
        Txid position = Txid.NONE;
        while (position.isBefore(target)) {
            LtxFileName best = null;
            int bestLevel = 0;
            for (int level = levels.size() - 1; level >= 0; level--) {
                LtxFileName file = furthest(levels.get(level), position, target);
                if (file != null && (best == null || file.max().isAfter(best.max()))) {
                    best = file;
                    bestLevel = level;
                }
            }
            if (best == null) {
                return;
            }
            pinned.get(bestLevel).add(best);
            position = best.max();
        }
    }

    private static @Nullable LtxFileName furthest(LevelFiles files, Txid position, Txid target) {
        int last = Math.min(files.firstAfter(target), files.firstStartingAfter(position.next())) - 1;
        LtxFileName best = last >= 0 && files.name(last).continues(position) ? files.name(last) : null;
        for (LtxFileInfo inside : files.contained()) {
            LtxFileName name = inside.name();
            if (name.continues(position)
                    && !name.max().isAfter(target)
                    && (best == null || name.max().isAfter(best.max()))) {
                best = name;
            }
        }
        return best;
    }
}
