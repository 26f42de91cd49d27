package org.litestream4j.restore;

import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.Mark;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.restore.RestoreException.Reason;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sets, lists and removes the marks of a replica. A mark names one state; retention keeps the files that restore it. An
 * engine that replicates to the same replica, in any process, lists the marks before it deletes files. Thread-safe.
 */
public final class Marks {

    private static final Logger log = LoggerFactory.getLogger(Marks.class);

    private Marks() {}

    /**
     * Sets a mark on a state that can be restored now. After the mark is stored, checks that the state can still be
     * restored; if not, removes the mark. One case remains: retention of another process has listed the marks before
     * this one was stored, and its next request (at most 250 files, sent directly after the listing) deletes files of the
     * state after that check. This requires a state whose retention ends at this moment; {@link #restorable} shows it.
     *
     * @param target state to mark; the mark names the transaction that a restore would reach
     * @param keepFor time after which the mark expires; null if it does not expire
     * @throws RestoreException if the state cannot be restored, or with {@link Reason#MARK_EXISTS} if a mark of this
     *     name exists
     * @throws IllegalArgumentException if the name or the time is not allowed
     */
    public static Mark add(
            ReplicaClient replica, String name, RestoreTarget target, @Nullable Duration keepFor, Clock clock)
            throws IOException {
        MarkStore store = store(replica);
        Mark mark = plan(replica, name, target, keepFor, clock);
        create(replica, store, mark);
        try { // retention may have deleted files before it knew of the mark
            Restore.plan(replica, options(RestoreTarget.txid(mark.txid()), clock));
        } catch (RestoreException e) {
            store.remove(name);
            throw e;
        }
        return mark;
    }

    /**
     * Returns the mark that {@link #add} would set, without storing it.
     *
     * @throws RestoreException if the state cannot be restored
     */
    public static Mark plan(
            ReplicaClient replica, String name, RestoreTarget target, @Nullable Duration keepFor, Clock clock)
            throws IOException {
        Mark.requireName(name);
        Instant now = clock.instant();
        Instant expires = expiry(now, keepFor);
        Planned planned = Restore.plan(replica, options(target, clock), new HeaderReader(replica));
        Instant timestamp = Instant.ofEpochMilli(planned.newest().timestampMillis());
        return new Mark(name, planned.plan().txid(), timestamp, now, expires);
    }

    /**
     * Returns the time at which a mark expires.
     *
     * @param keepFor time after which it expires; null if it does not expire
     * @throws IllegalArgumentException if the time is not positive, or too long
     */
    public static @Nullable Instant expiry(Instant now, @Nullable Duration keepFor) {
        if (keepFor == null) {
            return null;
        }
        if (keepFor.isNegative() || keepFor.isZero() || keepFor.toDays() > 365_000) {
            throw new IllegalArgumentException(
                    "the time after which a mark expires must be positive, at most 1,000 years: " + keepFor);
        }
        return now.plus(keepFor);
    }

    /**
     * Stores a mark.
     *
     * @throws RestoreException with {@link Reason#MARK_EXISTS} if a mark of this name exists
     */
    public static void create(ReplicaClient replica, Mark mark) throws IOException {
        create(replica, store(replica), mark);
    }

    private static void create(ReplicaClient replica, MarkStore store, Mark mark) throws IOException {
        if (!store.create(mark.name(), mark.encode())) {
            throw new RestoreException(
                    Reason.MARK_EXISTS,
                    replica.url(),
                    "there is already a mark named " + mark.name(),
                    "choose another name, or remove that mark first",
                    null);
        }
    }

    /** Lists the marks, expired ones included, ordered by name. Marks whose content is damaged are logged and left out. */
    public static List<Mark> list(ReplicaClient replica) throws IOException {
        List<Mark> marks = new ArrayList<>();
        Optional<MarkStore> store = replica.marks();
        if (store.isPresent()) {
            for (MarkStore.Stored stored : store.get().list()) {
                try {
                    read(replica, store.get(), stored.name()).ifPresent(marks::add);
                } catch (RestoreException e) {
                    log.warn("mark cannot be read: replica={} mark={}", replica.url(), stored.name(), e);
                }
            }
        }
        return marks;
    }

    /**
     * Returns a mark.
     *
     * @throws RestoreException with {@link Reason#NO_SUCH_MARK} if there is none of this name
     */
    public static Mark require(ReplicaClient replica, String name) throws IOException {
        Mark.requireName(name);
        return read(replica, store(replica), name)
                .orElseThrow(() -> new RestoreException(
                        Reason.NO_SUCH_MARK,
                        replica.url(),
                        "there is no mark named " + name,
                        "list the marks of this replica",
                        null));
    }

    /**
     * Removes a mark. The files that it kept are deleted by the next runs of retention.
     *
     * @return whether there was such a mark
     */
    public static boolean remove(ReplicaClient replica, String name) throws IOException {
        Mark.requireName(name);
        return store(replica).remove(name);
    }

    /**
     * Returns the marks whose states can be restored now. Lists the replica once.
     *
     * @throws IOException if the replica cannot be listed
     */
    public static List<Mark> restorable(ReplicaClient replica, List<Mark> marks) throws IOException {
        if (marks.isEmpty()) {
            return List.of();
        }
        ReplicaListing listing = ReplicaListing.of(replica);
        List<Mark> restorable = new ArrayList<>();
        for (Mark mark : marks) {
            try {
                RestorePlanner.plan(replica.url(), listing.files(), RestoreTarget.txid(mark.txid()), listing);
                restorable.add(mark);
            } catch (RestoreException e) {
                // the state is gone
            }
        }
        return restorable;
    }

    private static Optional<Mark> read(ReplicaClient replica, MarkStore store, String name) throws IOException {
        Optional<byte[]> content = store.read(name);
        if (content.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(Mark.decode(name, content.get()));
        } catch (IllegalArgumentException e) {
            throw new RestoreException(
                    Reason.DAMAGED,
                    replica.url(),
                    "the mark " + name + " cannot be read: " + e.getMessage(),
                    "remove it",
                    e);
        }
    }

    private static MarkStore store(ReplicaClient replica) throws IOException {
        return replica.marks()
                .orElseThrow(() -> new IOException(replica.url() + ": this kind of replica cannot store marks"));
    }

    private static RestoreOptions options(RestoreTarget target, Clock clock) {
        return RestoreOptions.builder().target(target).clock(clock).build();
    }

    /** A plan, and the header of its newest file, which shows whether that is old enough for a state by time. */
    private record Planned(RestorePlan plan, LtxHeader newest) {}

    /** Reads that header. */
    private static final class HeaderReader implements Restore.PlanUser<Planned> {

        private final ReplicaClient replica;

        HeaderReader(ReplicaClient replica) {
            this.replica = replica;
        }

        @Override
        public Planned read(RestorePlan plan) throws IOException {
            LtxFileInfo last = plan.files().get(plan.files().size() - 1);
            try (InputStream in = replica.open(last.level(), last.name(), 0, LtxHeader.SIZE)) {
                return new Planned(plan, LtxHeader.parse(in.readNBytes(LtxHeader.SIZE), PlanSource.label(last)));
            }
        }

        @Override
        public LtxHeader newest(Planned result) {
            return result.newest();
        }
    }
}
