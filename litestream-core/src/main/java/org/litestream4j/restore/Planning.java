package org.litestream4j.restore;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.Mark;
import org.litestream4j.replica.OtherBackup;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.restore.RestoreException.Reason;

/**
 * The successive plans of one restore. Plans are made again when files have vanished, without damaged files as long as
 * other files lead to the same state, and without files that turn out to be too new. Not thread-safe.
 */
final class Planning {

    /** Maximum number of damaged files; each costs another download. */
    private static final int MAX_DAMAGED = 16;

    private final ReplicaClient replica;
    private final RestoreOptions options;
    private final Set<LtxFileInfo> damaged = new HashSet<>();

    /** Timestamps from the headers of files that turned out to be too new. */
    private final Map<LtxFileInfo, Instant> headerTimes = new HashMap<>();

    /** All files of the last listing. */
    private List<LtxFileInfo> listed = List.of();

    private @Nullable ReplicaListing lastListing;

    /** The mark that is restored; null for other targets. */
    private @Nullable Mark mark;

    private boolean keepListing;

    /** The state to which the plan leads, regardless of damaged files; null before the first plan. */
    private @Nullable Txid wanted;

    private @Nullable LtxFormatException firstDamage;

    Planning(ReplicaClient replica, RestoreOptions options) {
        this.replica = replica;
        this.options = options;
    }

    /**
     * Lists the replica and returns the next plan.
     *
     * @throws RestoreException if the state cannot be restored; with {@link Reason#DAMAGED} if a damaged file is
     *     the only obstacle
     */
    RestorePlan next() throws IOException {
        if (options.target() instanceof RestoreTarget.AtTimestamp at) {
            refuseFuture(at);
        }
        ReplicaListing listing = keepListing && lastListing != null ? lastListing : ReplicaListing.of(replica);
        keepListing = false;
        lastListing = listing;
        listed = listing.files();
        ReplicaClient local = options.local();
        List<LtxFileInfo> localFiles =
                local == null ? List.of() : LocalFiles.after(listing.newest(), listed, replica, local);
        if (listed.isEmpty() && !localFiles.isEmpty()) {
            return new RestorePlan(List.of(), localFiles);
        }
        if (listed.isEmpty()) {
            OtherBackup other = replica.otherBackup().orElse(null);
            if (other != null) {
                throw new RestoreException(Reason.OTHER_FORMAT, replica.url(), other.problem(), other.remedy(), null);
            }
        }
        LtxFormatException damage = firstDamage;
        if (damage == null) {
            return choose(listing, listed).withLocalFiles(localFiles);
        }
        RestorePlan plan;
        try {
            plan = choose(
                    listing,
                    listed.stream().filter(file -> !damaged.contains(file)).toList());
        } catch (RestoreException e) {
            damage.addSuppressed(e);
            throw damaged(replica.url(), damage);
        }
        if (wanted != null && plan.txid().isBefore(wanted)) {
            throw damaged(replica.url(), damage);
        }
        return plan.withLocalFiles(localFiles);
    }

    /** Returns the files of all levels of the replica, as of the last plan. */
    List<LtxFileInfo> listed() {
        return listed;
    }

    private void refuseFuture(RestoreTarget.AtTimestamp at) throws IOException {
        if (at.timestamp().isAfter(options.clock().instant())) {
            ReplicaListing listing = ReplicaListing.of(replica);
            var range = RestorePlanner.range(listing.files(), listing);
            throw new RestoreException(
                    Reason.TIME_NOT_AVAILABLE,
                    replica.url(),
                    at.timestamp() + " is in the future" + RestorePlanner.rangeText(range),
                    "choose an earlier time",
                    range.orElse(null),
                    null);
        }
    }

    private RestorePlan choose(ReplicaListing listing, List<LtxFileInfo> candidates) throws IOException {
        List<LtxFileInfo> files = candidates.stream().map(this::corrected).toList();
        RestorePlan plan = plan(listing, files);
        if (firstDamage == null) {
            wanted = plan.txid();
        }
        return plan;
    }

    private RestorePlan plan(ReplicaListing listing, List<LtxFileInfo> files) throws IOException {
        if (!(options.target() instanceof RestoreTarget.AtMark at)) {
            return RestorePlanner.plan(replica.url(), files, options.target(), listing);
        }
        Mark named = mark == null ? Marks.require(replica, at.name()) : mark;
        mark = named;
        try {
            return RestorePlanner.plan(replica.url(), files, RestoreTarget.txid(named.txid()), listing);
        } catch (RestoreException e) {
            if (e.reason() != Reason.TXID_NOT_AVAILABLE && e.reason() != Reason.GAP) {
                throw e;
            }
            boolean expired = named.isExpired(options.clock().instant());
            throw new RestoreException(
                    e.reason(),
                    replica.url(),
                    "the mark " + named.name() + " names transaction " + named.txid() + " of " + named.timestamp()
                            + ", which can no longer be restored"
                            + (expired ? " since the mark expired at " + named.expires() : "")
                            + RestorePlanner.rangeText(e.range()),
                    "choose another mark or moment, and remove this mark",
                    e.range().orElse(null),
                    e);
        }
    }

    /**
     * Checks, for a restore by time, the timestamp in the header of the newest file. The timestamp in the listing may
     * be the store's own, or rounded.
     *
     * @throws TooNewException if the next plan must omit that file
     */
    void requireOldEnough(RestorePlan plan, LtxHeader newest) throws TooNewException {
        Instant time = Instant.ofEpochMilli(newest.timestampMillis());
        if (options.target() instanceof RestoreTarget.AtTimestamp at && !time.isBefore(at.timestamp())) {
            headerTimes.put(plan.files().get(plan.files().size() - 1), time);
            keepListing = true;
            throw new TooNewException();
        }
    }

    private LtxFileInfo corrected(LtxFileInfo file) {
        Instant time = headerTimes.get(file);
        return time == null ? file : new LtxFileInfo(file.level(), file.name(), file.size(), time, true);
    }

    /**
     * Excludes a damaged file from all further plans.
     *
     * @throws RestoreException with {@link Reason#DAMAGED} if the file is not on the replica, or if too many files
     *     are damaged
     */
    void exclude(LtxFormatException e) throws RestoreException {
        LtxFormatException first = firstDamage == null ? e : firstDamage;
        firstDamage = first;
        if (first != e) {
            first.addSuppressed(e);
        }
        List<LtxFileInfo> named = new ArrayList<>(listed);
        named.removeIf(file -> !PlanSource.label(file).equals(e.source()));
        if (named.isEmpty() || damaged.size() >= MAX_DAMAGED || !damaged.addAll(named)) {
            throw damaged(replica.url(), first);
        }
    }

    static RestoreException damaged(String replica, LtxFormatException e) {
        return new RestoreException(
                Reason.DAMAGED,
                replica,
                e.getMessage() == null ? "damaged file" : e.getMessage(),
                "restore an earlier state, or bring back that file from a copy of the replica",
                e);
    }

    /** Thrown if the newest file of a plan by time was committed after the requested time. */
    static final class TooNewException extends IOException {

        private static final long serialVersionUID = 1L;

        TooNewException() {
            super("the newest file is not older than the moment");
        }
    }
}
