package org.litestream4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.DatabaseState;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.Litestream;
import org.litestream4j.LitestreamException;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.compaction.SnapshotKeep;
import org.litestream4j.internal.capture.LocalState;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Replicates a database that is written by other processes. */
@Command(
        name = "replicate",
        description = {
            "Replicates a database that other processes write to, until the command is stopped.",
            "Waits for a database that does not exist yet.",
            "Processes that use SQLite older than 3.51.3 should not write to the database."
        },
        mixinStandardHelpOptions = true)
final class ReplicateCommand implements Callable<Integer> {

    /** Interval at which the files are checked; writers in other processes cannot report their commits. */
    private static final Duration WATCH_INTERVAL = Duration.ofMillis(100);

    /** Timeout of the final flush with --once: commits after its start need not be included, and a failure is not retried. */
    private static final Duration ONCE_FLUSH = Duration.ofSeconds(2);

    private static final Duration START_TIMEOUT = Duration.ofSeconds(10);

    private static final Duration ATTEMPT = Duration.ofSeconds(5);

    private static final Duration STATUS_INTERVAL = Duration.ofSeconds(1);

    private static final Duration LEAST_WAIT = Duration.ofSeconds(1);

    /** The start waits for the replica, however long it takes, until the command is stopped. */
    private static final Duration START_WITHOUT_END = Duration.ofDays(365);

    @Parameters(index = "0", paramLabel = "DB_PATH", description = "The database file.")
    private Path database = Path.of("");

    @Parameters(
            index = "1",
            paramLabel = "REPLICA_URL",
            description = "URL, such as file:///var/backups/app or s3://bucket/app.")
    private String url = "";

    @Option(
            names = "--setting",
            paramLabel = "NAME=VALUE",
            description = "Setting of the replica; overrides the URL parameter of the same name. May be repeated.")
    private Map<String, String> settings = new LinkedHashMap<>();

    @Option(names = "--once", description = "Capture what is committed now, upload it, and exit.")
    private boolean once;

    @Option(
            names = "--restore-if-db-not-exists",
            description =
                    "If the database is missing, restore it from the replica first. Without a backup, do nothing.")
    private boolean restore;

    @Option(
            names = "--adopt-replica",
            description = {
                "Replicate even if nothing shows that the replica belongs to this database.",
                "The newest state of another database there is then superseded by the state of this one."
            })
    private boolean adoptReplica;

    @Option(names = "--force-snapshot", description = "Take a snapshot now, unless nothing has changed since the last.")
    private boolean snapshot;

    @Option(
            names = "--enforce-retention",
            description = "Run compaction and retention immediately. Use it with --once in cron jobs.")
    private boolean retention;

    @Option(
            names = "--snapshot-retention",
            paramLabel = "DURATION",
            description = "Period within which any state stays restorable, for example P7D. Default: PT24H.")
    private @Nullable Duration snapshotRetention;

    @Option(
            names = "--snapshot-keep",
            paramLabel = "PERIOD=N",
            split = ",",
            description = {
                "Snapshots kept beyond that period: hourly, daily, weekly, monthly, yearly;",
                "for example daily=7,weekly=4,monthly=12. Default: none."
            })
    private Map<SnapshotKeep.Period, Integer> snapshotKeep = new LinkedHashMap<>();

    @Option(
            names = "--exec",
            paramLabel = "COMMAND",
            description = {
                "Start replication, run this command with sh, and exit with the command's exit code when it ends.",
                "On SIGTERM, the command gets SIGTERM too, and what it then commits is replicated."
            })
    private @Nullable String exec;

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            description = "Longest wait for the replica, with --once (default PT5M) or at shutdown (default PT30S).")
    private @Nullable Duration timeout;

    @Option(
            names = {"-v", "--verbose"},
            description = "Print each step to standard error: images, uploads, merges.")
    private boolean verbose;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (once && exec != null) {
            throw new UsageException("--once and --exec cannot be combined");
        }
        if (verbose) {
            CliLoggers.verbose();
        }
        ReplicaArguments.open(url, settings).close(); // validates them
        DatabaseConfig.Builder config = DatabaseConfig.builder(database, new ReplicaLocation(url, settings))
                .adoptReplica(adoptReplica);
        if (snapshotRetention != null) {
            config.snapshotRetention(snapshotRetention);
        }
        config.snapshotKeep(keep());
        if (once) {
            config.shutdownSyncTimeout(ONCE_FLUSH);
        } else if (timeout != null) {
            config.shutdownSyncTimeout(timeout);
        }
        return once ? replicateOnce(config.build()) : replicate(config.build());
    }

    private SnapshotKeep keep() {
        try {
            return new SnapshotKeep(
                    snapshotKeep.getOrDefault(SnapshotKeep.Period.HOURLY, 0),
                    snapshotKeep.getOrDefault(SnapshotKeep.Period.DAILY, 0),
                    snapshotKeep.getOrDefault(SnapshotKeep.Period.WEEKLY, 0),
                    snapshotKeep.getOrDefault(SnapshotKeep.Period.MONTHLY, 0),
                    snapshotKeep.getOrDefault(SnapshotKeep.Period.YEARLY, 0));
        } catch (IllegalArgumentException e) {
            throw new UsageException("--snapshot-keep: " + e.getMessage());
        }
    }

    private int replicateOnce(DatabaseConfig config) throws IOException, InterruptedException {
        try (Litestream litestream =
                Litestream.builder().optionNames(ErrorText::option).build()) {
            restoreIfAsked(litestream, config);
            if (!Files.exists(database)) {
                throw new NoSuchFileException(database.toString());
            }
            Duration patience = timeout != null ? timeout : Duration.ofMinutes(5);
            long start = System.nanoTime();
            ManagedDatabase managed = BoundedCall.run(config.path().toString(), patience, () -> false, () -> {
                refuseChangeOfHistory(config);
                return litestream.register(config);
            });
            managed.sync(left(patience, start));
            maintain(managed, patience);
            DatabaseStatus status = managed.status();
            end(litestream, managed, status.replicated());
            print("replicated " + status.path() + " to " + status.replica() + ", TXID " + status.replicated());
            return 0;
        }
    }

    /** Returns what is left of a wait, but at least a second, so that a slow start does not fail a working upload. */
    private static Duration left(Duration patience, long startNanos) {
        Duration left = patience.minusNanos(System.nanoTime() - startNanos);
        Duration least = patience.compareTo(LEAST_WAIT) < 0 ? patience : LEAST_WAIT;
        return left.compareTo(least) < 0 ? least : left;
    }

    /**
     * Ends the replication, which checks whether the replica still holds what was written. Commits after the start need
     * not be included, but a conflict is always an error.
     */
    static void end(Litestream litestream, ManagedDatabase managed, Txid replicated) throws IOException {
        try {
            litestream.unregister(managed.name());
        } catch (LitestreamException e) {
            DatabaseStatus now = managed.status();
            boolean later = now.captured().isAfter(replicated);
            if (e.getCause() instanceof ReplicaConflictException
                    || !later
                    || now.replicated().isBefore(replicated)) {
                throw e;
            }
        }
    }

    /**
     * Rejects at once what an unattended run must not do: compete with another process, or hide the newest state of a
     * replica.
     */
    private void refuseChangeOfHistory(DatabaseConfig config) throws IOException {
        Optional<LocalState> local = LocalState.of(config.metaPath());
        if (local.isPresent() && local.get().running()) {
            throw new LitestreamException(
                    config.path().toString(),
                    "another process is replicating this database and uploads its commits",
                    "stop that process, or do not use replicate --once",
                    null);
        }
        if (adoptReplica) {
            return;
        }
        Txid newest;
        try (ReplicaClient client = Replicas.open(config.replica())) {
            newest = Restore.newestTxid(client);
        } catch (ReplicaAccessException e) {
            throw e;
        } catch (IOException e) {
            return; // an outage: the engine retries, and checks the replica afterwards
        }
        Txid captured = local.map(LocalState::captured).orElse(Txid.NONE);
        if (newest.isAfter(captured)) {
            throw new LitestreamException(
                    config.path().toString(),
                    "the replica holds TXID " + newest + ", but this database was captured up to "
                            + (captured.isNone() ? "none (it has no local state)" : captured.toString())
                            + ": it may be an older copy, and would become the newest state",
                    "restore the replica to another file and compare, or use --adopt-replica",
                    null);
        }
    }

    private void restoreIfAsked(Litestream litestream, DatabaseConfig config) throws IOException {
        if (restore) {
            litestream
                    .restoreIfMissing(config)
                    .ifPresent(result -> print("restored " + config.path() + ", TXID " + result.txid()));
        }
    }

    private void maintain(ManagedDatabase managed, Duration patience) throws IOException, InterruptedException {
        if (snapshot) {
            print("snapshot at TXID " + managed.snapshot(patience));
        }
        if (retention) {
            managed.compact(patience);
        }
    }

    /** Runs maintenance in short attempts: an outage must not end the command, and the command must react to signals. */
    private boolean isMaintained(ManagedDatabase managed) throws IOException, InterruptedException {
        if (managed.status().state() != DatabaseState.REPLICATING) {
            return false;
        }
        try {
            maintain(managed, ATTEMPT);
            return true;
        } catch (LitestreamException e) {
            return false; // requested, and continuing; the engine logs the problem
        }
    }

    private int replicate(DatabaseConfig config) throws IOException, InterruptedException {
        Duration patience = config.shutdownSyncTimeout().multipliedBy(2).plusSeconds(exec == null ? 10 : 40);
        try (Cancellation cancellation = Cancellation.onShutdown(patience)) {
            try {
                return replicate(config, cancellation);
            } catch (IOException | RuntimeException e) {
                if (!cancellation.isCancelled()) {
                    throw e;
                }
                PrintWriter err = spec.commandLine().getErr();
                err.println("error: " + ErrorText.oneLine(ErrorText.of(e))); // before the process ends
                err.flush();
                cancellation.ended(1);
                return 1;
            }
        }
    }

    private int replicate(DatabaseConfig config, Cancellation cancellation) throws IOException, InterruptedException {
        try (Litestream litestream = Litestream.builder()
                .optionNames(ErrorText::option)
                .watchInterval(WATCH_INTERVAL)
                .build()) {
            ManagedDatabase managed =
                    BoundedCall.run(config.path().toString(), START_WITHOUT_END, cancellation::isCancelled, () -> {
                        restoreIfAsked(litestream, config);
                        return litestream.register(config);
                    });
            boolean passive = tellWhoReplicates(managed, null);
            ChildCommand child = exec == null ? null : startBeside(managed, exec);
            int exitCode;
            try {
                boolean maintained = !snapshot && !retention;
                while ((child == null || child.isRunning()) && !cancellation.await(STATUS_INTERVAL)) {
                    failOnConflict(managed);
                    passive = tellWhoReplicates(managed, passive);
                    maintained = maintained || isMaintained(managed);
                }
            } finally {
                exitCode = child == null ? 0 : child.end();
            }
            litestream.unregister(managed.name());
            cancellation.ended(exitCode);
            print(
                    passive
                            ? "stopped; another process replicates " + config.path()
                            : "replicated " + config.path() + ", TXID "
                                    + managed.status().replicated());
            return exitCode;
        }
    }

    /**
     * Prints a line if the process that replicates the database has changed.
     *
     * @param before whether another process did; null if nothing was printed yet
     * @return whether another process does
     */
    private boolean tellWhoReplicates(ManagedDatabase managed, @Nullable Boolean before) {
        DatabaseStatus status = managed.status();
        boolean passive = status.state() == DatabaseState.PASSIVE;
        if (before == null || passive != before) {
            print(
                    passive
                            ? "another process replicates " + status.path() + "; waiting until it ends"
                            : "replicating " + status.path() + " to " + status.replica());
        }
        return passive;
    }

    /** Starts the command after the engine has started, which takes the write lock briefly. */
    private ChildCommand startBeside(ManagedDatabase managed, String command) throws IOException, InterruptedException {
        if (Files.exists(database)) {
            try {
                managed.sync(START_TIMEOUT);
            } catch (LitestreamException e) {
                spec.commandLine().getErr().println("warning: " + e.getMessage() + "; starting the command anyway");
                spec.commandLine().getErr().flush();
            }
        }
        return ChildCommand.start(command);
    }

    private static void failOnConflict(ManagedDatabase managed) throws LitestreamException {
        DatabaseStatus status = managed.status();
        if (status.state() == DatabaseState.CONFLICT) {
            throw new LitestreamException(status.path().toString(), String.valueOf(status.lastError()), "", null);
        }
    }

    private void print(String line) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(line);
        out.flush();
    }
}
