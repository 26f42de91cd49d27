package org.litestream4j.drill;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.litestream4j.compaction.Validation;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.Redaction;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaLostException;
import org.litestream4j.replica.Replicas;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.restore.IntegrityCheck;
import org.litestream4j.restore.RestorableRange;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreException.Reason;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreResult;
import org.litestream4j.restore.RestoreTarget;

/**
 * Proves that a replica can be restored: restores the newest state and one state of the retained past from the replica
 * alone, checks them, and deletes them.
 *
 * <ul>
 *   <li>All checksums of the files used, the database checksum if the replica contains it, and the chain of the WAL
 *       ranges of all level-0 files.
 *   <li>The listings of all levels: no transaction of the retained range is missing.
 *   <li>SQLite's integrity check, the foreign keys, and the checks of the user, for both states.
 *   <li>With an engine: the newest restorable state is not older than the state that was replicated.
 * </ul>
 *
 * <p>Damage is always {@link DrillOutcome#FAILED}; a store or a disk that cannot be used is always
 * {@link DrillOutcome#INCONCLUSIVE}.
 */
public final class RestoreDrill {

    /** Size in bytes up to which files of level 0 are read to check their chain; larger ones are full images. */
    private static final long MAX_CHAIN_FILE = 64L << 20;

    /** Number of moments to try; retention may delete the state of a chosen one. */
    private static final int MAX_MOMENTS = 5;

    private final DrillReplica replica;
    private final DrillReplica.Requests requests;
    private final DrillOptions options;
    private final @Nullable Txid replicated;
    private final Limits limits;
    private final Instant startedAt;
    private final List<DrillFinding> findings = new ArrayList<>();

    private @Nullable DrilledState newest;
    private @Nullable DrilledState past;
    private @Nullable String problem;

    private RestoreDrill(
            DrillReplica replica,
            DrillReplica.Requests requests,
            DrillOptions options,
            @Nullable Txid replicated,
            Limits limits) {
        this.replica = replica;
        this.requests = requests;
        this.options = options;
        this.replicated = replicated;
        this.limits = limits;
        this.startedAt = options.clock().instant();
    }

    /**
     * Runs a drill without an engine, on the calling thread.
     *
     * @throws IllegalArgumentException if the location is invalid
     */
    public static DrillReport run(ReplicaLocation location, DrillOptions options) {
        return run(listener -> Replicas.open(location, listener), options, null);
    }

    /**
     * Runs a drill on the calling thread. An interrupt ends it, and the interrupt status stays set.
     *
     * @param opener opens a client of the replica for this drill alone, which reports its requests to the listener; the
     *     drill closes it
     * @param replicated newest transaction that the engine knows to be on the replica, read before this call;
     *     {@link Txid#NONE} if it has replicated nothing yet, null if there is no engine
     */
    public static DrillReport run(
            Function<RequestListener, ReplicaClient> opener, DrillOptions options, @Nullable Txid replicated) {
        DrillReplica.Requests requests = new DrillReplica.Requests();
        Limits limits = new Limits(options);
        DrillReplica replica = new DrillReplica(opener.apply(requests), limits);
        return new RestoreDrill(replica, requests, options, replicated, limits).run();
    }

    private DrillReport run() {
        try (replica) {
            try (DrillFolder folder = DrillFolder.create(options.directory())) {
                restoreNewest(folder);
                if (!limits.areExceeded()) {
                    restorePast(folder);
                }
            }
            if (!limits.areExceeded()) {
                validate();
            }
        } catch (IOException e) {
            failed(e);
        }
        if (problem == null) {
            problem = limits.exceeded();
        }
        DrillOutcome outcome = DrillReport.outcome(findings, problem);
        return new DrillReport(
                options.database(),
                replica.url(),
                outcome,
                startedAt,
                limits.elapsed(),
                replicated,
                newest,
                past,
                findings.stream().distinct().toList(),
                problem == null ? null : Redaction.printable(problem),
                requests.countsByName(),
                replica.bytes(),
                options.prices().costMicros(requests.counts(), replica.bytes()));
    }

    private void restoreNewest(DrillFolder folder) throws IOException {
        String target = "newest state";
        try {
            newest = restore(folder.database("newest"), RestoreTarget.latest(), target);
        } catch (RestoreException e) {
            boolean nothingYet = e.reason() == Reason.NO_BACKUP && replicated != null && replicated.isNone();
            if (nothingYet) {
                problem = "nothing has been replicated yet";
            } else {
                failed(target, e);
            }
            return;
        }
        if (replicated != null && newest != null && newest.txid().isBefore(replicated)) {
            add(
                    DrillFinding.Kind.OUTDATED,
                    "the newest restorable state is TXID " + newest.txid() + " of " + newest.timestamp()
                            + ", but transactions up to " + replicated
                            + " were replicated: files were deleted or replaced on the replica; take a snapshot");
        }
    }

    private void restorePast(DrillFolder folder) throws IOException {
        RestoreTarget wanted = options.past();
        for (int attempt = 1; problem == null; attempt++) {
            RestoreTarget target = wanted != null ? wanted : randomMoment();
            if (target == null) {
                return;
            }
            String name = "state of " + target;
            try {
                past = restore(folder.database("past-" + attempt), target, name);
                return;
            } catch (RestoreException e) {
                boolean gone = wanted == null && e.reason() == Reason.TIME_NOT_AVAILABLE;
                // Marks and tiers leave such gaps between the states that they keep; another moment is drawn.
                boolean between = wanted == null && e.reason() == Reason.GAP && attempt < MAX_MOMENTS;
                if (!gone && !between) {
                    failed(name, e);
                    return;
                }
                if (gone && attempt == MAX_MOMENTS) {
                    problem = e.getMessage();
                }
            }
        }
    }

    /** Returns a random moment of the retained past; null if only one state is retained. */
    private @Nullable RestoreTarget randomMoment() throws IOException {
        RestorableRange range = Restore.range(replica).orElse(null);
        if (range == null) {
            return null; // already a finding
        }
        long first = range.earliestTime().toEpochMilli() + 1; // a moment yields the state before it
        long last = Math.min(
                range.latestTime().toEpochMilli(), options.clock().instant().toEpochMilli());
        return first > last
                ? null
                : RestoreTarget.timestamp(
                        Instant.ofEpochMilli(ThreadLocalRandom.current().nextLong(first, last + 1)));
    }

    private DrilledState restore(Path file, RestoreTarget target, String name) throws IOException {
        RestoreWatch watch = new RestoreWatch(limits);
        RestoreOptions restoreOptions = RestoreOptions.builder()
                .target(target)
                .integrityCheck(IntegrityCheck.FULL)
                .parallelism(options.parallelism())
                .listener(watch)
                .cancelled(watch::isOver)
                .clock(options.clock())
                .build();
        Duration pausedBefore = limits.paused();
        RestoreResult result = Restore.restore(replica, file, restoreOptions);
        for (String damage : watch.damage()) {
            add(DrillFinding.Kind.DAMAGED, name + ": " + damage + "; other files lead to the same state");
        }
        Duration paused = limits.paused().minus(pausedBefore).minus(watch.pausedWhileChecking());
        Duration recovery = result.elapsed().minus(watch.checking()).minus(paused.dividedBy(options.parallelism()));
        DrilledState state = new DrilledState(
                name,
                result.txid(),
                result.timestamp(),
                result.pages() * result.pageSize(),
                result.files(),
                result.bytesRead(),
                result.databaseChecksum().isPresent(),
                recovery.isNegative() ? Duration.ZERO : recovery);
        findings.addAll(new StateChecks(options, limits, !(target instanceof RestoreTarget.Latest)).run(file, state));
        Files.deleteIfExists(file); // the next state needs the space
        return state;
    }

    /** Checks the listings of all levels, and the chain of the WAL ranges of level 0. */
    private void validate() throws IOException {
        Validation.Result result =
                Validation.run(replica, file -> options.deep() || isInChain(file), limits::areExceeded);
        for (Validation.Problem found : result.problems()) {
            if (found.isSerious()) {
                add(
                        found.kind() == Validation.Kind.DAMAGED ? DrillFinding.Kind.DAMAGED : DrillFinding.Kind.MISSING,
                        "level " + found.level() + " file " + found.file() + ": " + found.text());
            }
        }
    }

    private static boolean isInChain(LtxFileInfo file) {
        return file.level() == 0 && file.size() <= MAX_CHAIN_FILE;
    }

    private void failed(String target, RestoreException e) {
        kind(e).ifPresentOrElse(kind -> add(kind, target + ": " + e.getMessage()), () -> failed(e));
    }

    /** Returns the kind of a finding; empty if the restore failed for a reason outside the replica. */
    private static Optional<DrillFinding.Kind> kind(RestoreException e) {
        return switch (e.reason()) {
            case NO_BACKUP, OTHER_FORMAT -> Optional.of(DrillFinding.Kind.NO_BACKUP);
            case TXID_NOT_AVAILABLE, TIME_NOT_AVAILABLE -> Optional.of(DrillFinding.Kind.NOT_RETAINED);
            case GAP, VANISHED -> Optional.of(DrillFinding.Kind.MISSING);
            case DAMAGED -> Optional.of(DrillFinding.Kind.DAMAGED);
            case CHECKSUM -> Optional.of(DrillFinding.Kind.CHECKSUM);
            case INTEGRITY ->
                e.getCause() != null && StateChecks.isLocal(e.getCause())
                        ? Optional.empty()
                        : Optional.of(DrillFinding.Kind.MALFORMED);
            case NO_SUCH_MARK, MARK_EXISTS, TARGET_EXISTS, LEFTOVERS, NO_SPACE, CANCELLED -> Optional.empty();
        };
    }

    private void failed(IOException e) {
        if (e instanceof LtxFormatException) {
            add(DrillFinding.Kind.DAMAGED, String.valueOf(e.getMessage()));
        } else if (e instanceof ReplicaLostException || e instanceof ReplicaFileNotFoundException) {
            add(DrillFinding.Kind.MISSING, String.valueOf(e.getMessage()));
        } else if (problem == null) {
            String limit = limits.exceeded();
            boolean interrupted = e instanceof ClosedByInterruptException
                    || Thread.currentThread().isInterrupted();
            problem = limit != null ? limit : interrupted ? "the drill was interrupted" : text(e);
        }
    }

    /** Describes an error; the message of most errors of files is only a path. */
    private static String text(IOException e) {
        String message = e.getMessage();
        boolean explained =
                e.getClass() == IOException.class || e instanceof RestoreException || e instanceof ReplicaException;
        return message != null && explained ? message : e.toString();
    }

    private void add(DrillFinding.Kind kind, String text) {
        findings.add(new DrillFinding(kind, Redaction.printable(text)));
    }
}
