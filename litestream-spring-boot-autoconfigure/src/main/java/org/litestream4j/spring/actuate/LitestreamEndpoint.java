package org.litestream4j.spring.actuate;

import static org.litestream4j.spring.actuate.RequestException.echo;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.drill.DrillReport;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.IntegrityCheck;
import org.litestream4j.restore.RestoreTarget;
import org.litestream4j.spring.drill.RestoreDrills;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.annotation.DeleteOperation;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import org.springframework.boot.actuate.endpoint.web.annotation.WebEndpoint;

/**
 * Actuator endpoint with the replicated databases, their progress and errors, and the states that can be restored.
 * {@code POST} and {@code DELETE} change state and require {@code access=unrestricted}. Paths, fields and responses:
 * docs/actuator.md.
 */
@WebEndpoint(id = "litestream", defaultAccess = Access.READ_ONLY)
public final class LitestreamEndpoint {

    private static final int ACCEPTED = 202;

    private static final String RESTORES = "restores";
    private static final String RESTORE_POINTS = "restore-points";
    private static final String FILES = "files";
    private static final String MARKS = "marks";
    private static final String DRILLS = "drills";

    /** Longest wait of a request: threads of a web server are limited, and proxies time out. */
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(30);

    private static final Duration LONGEST_TIMEOUT = Duration.ofHours(1);

    private final Litestream litestream;
    private final Restores restores;
    private final RestoreFolder folder;
    private final @Nullable RestoreDrills drills;
    private final IntegrityCheck integrityCheck;
    private final Clock clock;
    private final Duration longestWait;
    private final CachedRestorePoints points = new CachedRestorePoints(ManagedDatabase::restorePoints);

    /** @param drills drills of the application; null if there are none */
    LitestreamEndpoint(
            Litestream litestream,
            Restores restores,
            RestoreFolder folder,
            @Nullable RestoreDrills drills,
            IntegrityCheck integrityCheck,
            Clock clock) {
        this(litestream, restores, folder, drills, integrityCheck, clock, LONGEST_WAIT);
    }

    /** @param longestWait replaces {@link #LONGEST_WAIT} in tests */
    LitestreamEndpoint(
            Litestream litestream,
            Restores restores,
            RestoreFolder folder,
            @Nullable RestoreDrills drills,
            IntegrityCheck integrityCheck,
            Clock clock,
            Duration longestWait) {
        this.litestream = litestream;
        this.restores = restores;
        this.folder = folder;
        this.drills = drills;
        this.integrityCheck = integrityCheck;
        this.clock = clock;
        this.longestWait = longestWait;
    }

    /** Returns all databases, ordered by name. */
    @ReadOperation
    public Databases databases() {
        return new Databases(litestream.databases().stream()
                .map(ManagedDatabase::status)
                .map(DatabaseDescription::of)
                .sorted(Comparator.comparing(DatabaseDescription::name))
                .toList());
    }

    /** Returns one database. */
    @ReadOperation
    public Object database(@Selector String name) {
        return DatabaseDescription.of(find(name).status());
    }

    /**
     * Returns the {@code restore-points} or the {@code marks} of a database, which requires access to the replica, its
     * {@code restores} or {@code drills}, newest first, or the restored {@code files}.
     */
    @ReadOperation
    public Object part(@Selector String name, @Selector String part) {
        ManagedDatabase database = find(name);
        return switch (part) {
            case RESTORE_POINTS -> restorePoints(database);
            case RESTORES ->
                new RestoreList(
                        restores.of(name).stream().map(RunningRestore::describe).toList());
            case FILES -> new FileList(folder.files());
            case MARKS -> MarkRequests.list(database);
            case DRILLS -> drills(database);
            default ->
                throw notFound(
                        echo(part) + ": there are " + RESTORE_POINTS + ", " + RESTORES + ", " + MARKS + ", " + DRILLS
                                + " and "
                                + FILES);
        };
    }

    /** Returns one restore, running or ended, or one of the {@code marks}. */
    @ReadOperation
    public Object restore(@Selector String name, @Selector String part, @Selector String id) {
        if (part.equals(MARKS)) {
            return MarkRequests.find(find(name), id);
        }
        return findRestore(name, part, id).describe();
    }

    /**
     * Cancels a restore, deletes one of the restored {@code files}, or removes one of the {@code marks}. A restore that
     * has ended is unchanged.
     */
    @DeleteOperation
    public @Nullable Object cancel(@Selector String name, @Selector String part, @Selector String id) {
        if (part.equals(FILES)) {
            refuseWhileRestored(find(name).name(), id);
            folder.delete(id);
            return new FileList(folder.files());
        }
        if (part.equals(MARKS)) {
            return MarkRequests.remove(find(name), id);
        }
        RunningRestore restore = findRestore(name, part, id);
        restore.cancel();
        RestoreDescription description = restore.describe();
        return description.endedAt() == null ? new WebEndpointResponse<>(description, ACCEPTED) : description;
    }

    /**
     * Runs an action on a database. Only a restore and a mark have parameters besides {@code timeout}.
     *
     * @param database name of the database
     * @param timeout longest wait; a request waits for 30 s at most, and longer actions continue
     * @param timestamp time to restore or to mark
     * @param txid transaction to restore or to mark
     * @param mark mark to restore
     * @param name name of the mark to set
     * @param expiresAfter time after which the mark to set expires
     * @param target file to restore to, a plain name
     * @param inPlace whether to restore the database itself
     * @param force whether an existing file is replaced
     * @param integrityCheck integrity check of the restored file
     */
    @WriteOperation
    public Object act(
            @Selector String database,
            @Selector Action action,
            @Nullable Duration timeout,
            @Nullable String timestamp,
            @Nullable String txid,
            @Nullable String mark,
            @Nullable String name,
            @Nullable Duration expiresAfter,
            @Nullable String target,
            @Nullable Boolean inPlace,
            @Nullable Boolean force,
            @Nullable IntegrityCheck integrityCheck)
            throws InterruptedException {
        ManagedDatabase managed = find(database);
        if (timeout != null && (timeout.isNegative() || timeout.isZero() || timeout.compareTo(LONGEST_TIMEOUT) > 0)) {
            throw RequestException.badRequest(
                    "timeout = " + timeout + ": must be positive, at most " + LONGEST_TIMEOUT);
        }
        if (action == Action.RESTORE) {
            refuse("name", name, action);
            refuse("expiresAfter", expiresAfter, action);
            RestoreTarget state = state(timestamp, txid, mark);
            return begin(managed, request(timeout, state, target, inPlace, force, integrityCheck));
        }
        refuse("mark", mark, action);
        if (action != Action.MARKS) {
            refuse("timestamp", timestamp, action);
            refuse("txid", txid, action);
            refuse("name", name, action);
            refuse("expiresAfter", expiresAfter, action);
        }
        refuse("target", target, action);
        refuse("inPlace", inPlace, action);
        refuse("force", force, action);
        refuse("integrityCheck", integrityCheck, action);
        if (action == Action.DRILL) {
            if (timeout != null) {
                throw RequestException.badRequest(
                        "timeout: a drill does not wait; its own timeout is litestream.drill.timeout");
            }
            return beginDrill(managed);
        }
        try {
            points.forget(database);
            Duration wait = timeout == null || timeout.compareTo(LONGEST_WAIT) > 0 ? longestWait : timeout;
            if (action == Action.MARKS) {
                return MarkRequests.add(managed, name, state(timestamp, txid, null), expiresAfter, wait);
            }
            if (action == Action.SNAPSHOT) {
                return new Snapshot(managed.snapshot(wait).toString());
            }
            managed.sync(wait);
            return DatabaseDescription.of(managed.status());
        } catch (IOException e) {
            boolean longer = timeout == null ? action == Action.SNAPSHOT : timeout.compareTo(LONGEST_WAIT) > 0;
            if (longer && e.getCause() instanceof TimeoutException) {
                return new WebEndpointResponse<>(
                        new Continuing(action.name().toLowerCase(Locale.ROOT), String.valueOf(e.getMessage())),
                        ACCEPTED);
            }
            throw unavailable(e);
        }
    }

    private RestoreRequest request(
            @Nullable Duration timeout,
            RestoreTarget state,
            @Nullable String target,
            @Nullable Boolean inPlace,
            @Nullable Boolean force,
            @Nullable IntegrityCheck check) {
        boolean intoDatabase = Boolean.TRUE.equals(inPlace);
        if (intoDatabase == (target != null)) {
            throw RequestException.badRequest("name the destination: either target, a file name, or inPlace: true");
        }
        if (intoDatabase && Boolean.TRUE.equals(force)) {
            throw RequestException.badRequest("force: applies only to a target; with inPlace, the state before"
                    + " the restore stays restorable");
        }
        if (!intoDatabase && timeout != null) {
            throw RequestException.badRequest(
                    "timeout: applies only to inPlace: true; a restore to a file does not wait");
        }
        boolean replace = Boolean.TRUE.equals(force);
        return new RestoreRequest(
                state,
                target == null ? null : folder.resolve(target, replace),
                replace,
                check == null ? integrityCheck : check,
                timeout == null ? LONGEST_WAIT : timeout);
    }

    private RestoreTarget state(@Nullable String timestamp, @Nullable String txid, @Nullable String mark) {
        if (Stream.of(timestamp, txid, mark).filter(Objects::nonNull).count() > 1) {
            throw RequestException.badRequest(
                    "timestamp, txid and mark cannot be combined; without them, the newest" + " state is used");
        }
        if (mark != null) {
            try {
                return RestoreTarget.mark(mark);
            } catch (IllegalArgumentException e) {
                throw RequestException.badRequest("mark: " + e.getMessage());
            }
        }
        if (timestamp != null) {
            try {
                return RestoreTarget.timestamp(echo(timestamp), clock);
            } catch (IllegalArgumentException e) {
                throw RequestException.badRequest("timestamp: " + e.getMessage());
            }
        }
        if (txid != null) {
            try {
                return RestoreTarget.txid(Txid.parse(echo(txid)));
            } catch (IllegalArgumentException e) {
                throw RequestException.badRequest("txid: " + e.getMessage());
            }
        }
        return RestoreTarget.latest();
    }

    /** Rejects a request for a file that is being restored; the files of all databases are in one folder. */
    private void refuseWhileRestored(String name, String file) {
        boolean running = litestream.databases().stream()
                .flatMap(database -> restores.of(database.name()).stream())
                .filter(RunningRestore::isRunning)
                .anyMatch(restore -> file.equals(restore.describe().target()));
        if (running) {
            throw new RequestException(
                    RequestException.CONFLICT, echo(file) + ": is being restored for " + name + "; cancel that first");
        }
    }

    private Object begin(ManagedDatabase database, RestoreRequest request) {
        if (request.file() != null) {
            folder.refuseBeyondQuota(request.file(), size(database));
        }
        String id = restores.begin(database, request).id();
        points.forget(database.name());
        return new WebEndpointResponse<>(new Accepted(id, RESTORES + "/" + id), ACCEPTED);
    }

    private Object drills(ManagedDatabase database) {
        if (drills == null) {
            return new DrillList(false, List.of());
        }
        return new DrillList(
                drills.isRunning(database),
                drills.reports(database).stream().map(DrillReport::describe).toList());
    }

    private Object beginDrill(ManagedDatabase database) {
        if (drills == null || !drills.request(database)) {
            throw new RequestException(
                    RequestException.CONFLICT,
                    "a drill of " + database.name() + " is running, or the application is shutting down; wait");
        }
        return new WebEndpointResponse<>(new DrillStarted(DRILLS), ACCEPTED);
    }

    private RestorePointsDescription restorePoints(ManagedDatabase database) {
        try {
            return points.of(database);
        } catch (IOException e) {
            throw unavailable(e);
        }
    }

    private ManagedDatabase find(String name) {
        return litestream
                .database(name)
                .orElseThrow(() -> notFound(echo(name) + ": no replicated database has this name"));
    }

    private RunningRestore findRestore(String name, String part, String id) {
        if (!part.equals(RESTORES)) {
            throw notFound(echo(part) + ": there are only " + RESTORES);
        }
        return restores.find(find(name).name(), id)
                .orElseThrow(() -> notFound(echo(id) + ": no such restore of " + name + "; the last "
                        + Restores.MOST_ENDED + " are kept, until the application ends"));
    }

    /** Returns the approximate size of a restored file, without opening a file. */
    private static long size(ManagedDatabase database) {
        try {
            return Files.size(database.config().path());
        } catch (IOException e) {
            return 0;
        }
    }

    private static void refuse(String field, @Nullable Object value, Action action) {
        if (value != null) {
            throw RequestException.badRequest(
                    field + ": does not apply to " + action.name().toLowerCase(Locale.ROOT));
        }
    }

    private static RequestException notFound(String text) {
        return new RequestException(RequestException.NOT_FOUND, text);
    }

    /** Returns an exception for an unavailable replica. These texts contain no secrets. */
    private static RequestException unavailable(IOException e) {
        return new RequestException(RequestException.SERVICE_UNAVAILABLE, String.valueOf(e.getMessage()));
    }

    /** Actions on a database. */
    public enum Action {
        /** Capture all changes now and wait until they are on the replica. */
        SYNC,
        /** Write a snapshot of the newest state to the replica and wait until it is there. */
        SNAPSHOT,
        /** Start a restore. */
        RESTORE,
        /** Set a mark. */
        MARKS,
        /** Start a restore drill. */
        DRILL
    }

    /** All databases. */
    public record Databases(List<DatabaseDescription> databases) {}

    /**
     * A restore that has started.
     *
     * @param location address of the restore, relative to the URL of this request
     */
    public record Accepted(String id, String location) {}

    /**
     * The newest snapshot.
     *
     * @param txid last transaction in the snapshot, 16 hexadecimal digits
     */
    public record Snapshot(String txid) {}

    /**
     * An action that continues after the request has stopped waiting.
     *
     * @param continues the action
     * @param text progress of the action
     */
    public record Continuing(String continues, String text) {}

    /** Files of all databases in the folder for restores, ordered by name. */
    public record FileList(List<RestoreFolder.RestoredFile> files) {}

    /** Restores of a database, newest first. */
    public record RestoreList(List<RestoreDescription> restores) {}

    /**
     * Drills of a database.
     *
     * @param running whether a drill is running, or waits for the drill of another database
     * @param drills reports, newest first
     */
    public record DrillList(boolean running, List<Map<String, @Nullable Object>> drills) {}

    /**
     * A drill that has started.
     *
     * @param location address of the reports, relative to the URL of this request
     */
    public record DrillStarted(String location) {}
}
