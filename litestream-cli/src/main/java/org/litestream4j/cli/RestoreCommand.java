package org.litestream4j.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.restore.IntegrityCheck;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreListener;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestorePlan;
import org.litestream4j.restore.RestoreResult;
import org.litestream4j.restore.RestoreTarget;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Restores a database. */
@Command(
        name = "restore",
        description = "Restores a database from its replica, by default the newest state.",
        mixinStandardHelpOptions = true)
final class RestoreCommand implements Callable<Integer> {

    /** Longest time for which a change that has begun may take to finish. */
    private static final int COPY_BUFFER = 64 * 1024;

    private static final Duration FOLLOW_PATIENCE = Duration.ofSeconds(30);

    @Mixin
    private ReplicaArguments replica = new ReplicaArguments();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "OUT",
            description =
                    "The database file to write, or - for standard output. No process may have the file open. Required,"
                            + " except with --dry-run.")
    private @Nullable Path output;

    @Option(names = "--txid", paramLabel = "HEX", description = "Restore the state after this transaction.")
    private @Nullable String txid;

    @Option(
            names = "--timestamp",
            paramLabel = "TIME",
            description = "Restore the newest state before this time: ISO 8601 with a zone"
                    + " (2026-11-24T10:15:30Z), or relative to now (\"5 minutes ago\").")
    private @Nullable String timestamp;

    @Option(names = "--mark", paramLabel = "NAME", description = "Restore the state that a mark names.")
    private @Nullable String mark;

    @Option(
            names = {"-f", "--force"},
            description = "Replace an existing database, and move a -wal, -shm or -journal file beside it aside.")
    private boolean force;

    @Option(
            names = "--integrity-check",
            paramLabel = "KIND",
            description = "SQLite's check of the restored database: none, quick or full. Default: none.")
    private IntegrityCheck integrityCheck = IntegrityCheck.NONE;

    @Option(
            names = "--ignore-database-checksum",
            description =
                    "Restore even if checksums or WAL ranges show that the result differs from the captured database.")
    private boolean ignoreDatabaseChecksum;

    @Option(
            names = "--parallelism",
            paramLabel = "N",
            description = "Number of connections to the replica. Default: " + RestoreOptions.DEFAULT_PARALLELISM + ".")
    private int parallelism = RestoreOptions.DEFAULT_PARALLELISM;

    @Option(names = "--if-db-not-exists", description = "Do nothing and exit with code 0 if the database exists.")
    private boolean ifDbNotExists;

    @Option(names = "--if-replica-exists", description = "Do nothing and exit with code 0 if there is no backup.")
    private boolean ifReplicaExists;

    @Option(names = "--dry-run", description = "Print the files that would be read, and write nothing.")
    private boolean dryRun;

    @Option(
            names = "--follow",
            description = {
                "Keep the database up to date until the command is stopped, as a hot standby.",
                "Continues with the standby of an earlier run."
            })
    private boolean follow;

    @Option(
            names = "--follow-interval",
            paramLabel = "DURATION",
            description = "Interval between two polls of the replica, for example PT1S. Default: PT1S.")
    private @Nullable Duration followInterval;

    @Option(names = "--json", description = "Print JSON; with --follow, one line for each state.")
    private boolean json;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
        RestoreTarget target = target(txid, timestamp, mark);
        Path file = output;
        if (file == null && !dryRun) {
            throw new UsageException("missing option -o: the database file to write");
        }
        if (file != null && file.toString().equals("-")) {
            return restoreToStandardOutput(target);
        }
        if (follow && file != null) {
            checkFollow();
            return follow(file);
        }
        if (followInterval != null) {
            throw new UsageException("--follow-interval requires --follow");
        }
        if (ifDbNotExists && file != null && Files.isRegularFile(file) && Files.size(file) > 0) {
            nothing(file + " exists; nothing was restored");
            return 0;
        }
        try (ReplicaClient client = replica.open();
                Cancellation cancellation = Cancellation.onShutdown()) {
            if (file == null || dryRun) {
                printPlan(Restore.plan(client, options(target, RestoreListener.NONE, cancellation)));
            } else {
                printResult(restore(client, file, target, cancellation));
            }
        } catch (RestoreException e) {
            if (ifReplicaExists && e.reason() == RestoreException.Reason.NO_BACKUP) {
                nothing("there is no backup; nothing was restored");
                return 0;
            }
            throw e;
        }
        return 0;
    }

    /**
     * Restores to standard output through a temporary file, so that only complete and verified content is written. The
     * result is written to standard error.
     */
    private int restoreToStandardOutput(RestoreTarget target) throws IOException {
        if (follow || json || dryRun) {
            throw new UsageException("-o - cannot be combined with --follow, --json or --dry-run");
        }
        Path folder = Files.createTempDirectory("litestream-restore");
        Path file = folder.resolve("restored.db");
        try (ReplicaClient client = replica.open();
                Cancellation cancellation = Cancellation.onShutdown()) {
            RestoreResult result = restore(client, file, target, cancellation);
            copyToStandardOutput(file);
            PrintWriter err = spec.commandLine().getErr();
            err.println("restored TXID " + result.txid() + " of " + result.timestamp());
            err.flush();
            return 0;
        } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(folder);
        }
    }

    /** @throws IOException also if the reader has ended or the disk is full, which System.out reports only when asked */
    private static void copyToStandardOutput(Path file) throws IOException {
        byte[] buffer = new byte[COPY_BUFFER];
        try (InputStream in = Files.newInputStream(file)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                System.out.write(buffer, 0, read);
                if (System.out.checkError()) {
                    throw new IOException("the database is incomplete: " + CommandOutput.UNWRITABLE);
                }
            }
        }
    }

    private void checkFollow() {
        if (txid != null || timestamp != null || mark != null || dryRun || ifDbNotExists) {
            throw new UsageException(
                    "--follow cannot be combined with --txid, --timestamp, --mark, --dry-run or --if-db-not-exists");
        }
        if (followInterval != null && followInterval.compareTo(Duration.ofMillis(1)) < 0) {
            throw new UsageException("--follow-interval must be at least PT0.001S: " + followInterval);
        }
    }

    private int follow(Path file) throws IOException {
        Duration interval = followInterval == null ? Duration.ofSeconds(1) : followInterval;
        boolean terminal = !json && ProgressLine.isTerminal();
        try (ReplicaClient client = replica.open();
                Cancellation cancellation = Cancellation.onShutdown(FOLLOW_PATIENCE);
                ProgressLine line = new ProgressLine(spec.commandLine().getErr())) {
            RestoreListener progress = terminal ? line : RestoreListener.NONE;
            FollowOutput output = new FollowOutput(spec.commandLine(), json, line);
            try {
                Restore.follow(client, file, options(RestoreTarget.latest(), progress, cancellation), interval, output);
            } catch (RestoreException e) {
                if (ifReplicaExists && e.reason() == RestoreException.Reason.NO_BACKUP) {
                    nothing("there is no backup; nothing was restored");
                    return 0;
                }
                throw e;
            }
            cancellation.ended(0);
            return 0;
        }
    }

    /** @throws UsageException if the options contradict each other or are invalid */
    static RestoreTarget target(@Nullable String txid, @Nullable String timestamp, @Nullable String mark) {
        if (txid != null && timestamp != null) {
            throw new UsageException("--txid and --timestamp cannot be combined");
        }
        if (mark != null && (txid != null || timestamp != null)) {
            throw new UsageException("--mark cannot be combined with --txid or --timestamp");
        }
        try {
            if (mark != null) {
                return RestoreTarget.mark(mark);
            }
            if (txid != null) {
                return RestoreTarget.txid(Txid.parse(txid));
            }
            return timestamp == null ? RestoreTarget.latest() : RestoreTarget.timestamp(timestamp, Clock.systemUTC());
        } catch (IllegalArgumentException e) {
            throw new UsageException(e);
        }
    }

    private RestoreOptions options(RestoreTarget target, RestoreListener listener, Cancellation cancellation) {
        try {
            return RestoreOptions.builder()
                    .target(target)
                    .force(force)
                    .integrityCheck(integrityCheck)
                    .compareChecksum(!ignoreDatabaseChecksum)
                    .parallelism(parallelism)
                    .listener(listener)
                    .cancelled(cancellation::isCancelled)
                    .build();
        } catch (IllegalArgumentException e) {
            throw new UsageException(e);
        }
    }

    private RestoreResult restore(ReplicaClient client, Path file, RestoreTarget target, Cancellation cancellation)
            throws IOException {
        if (json || !ProgressLine.isTerminal()) {
            return Restore.restore(client, file, options(target, RestoreListener.NONE, cancellation));
        }
        try (ProgressLine line = new ProgressLine(spec.commandLine().getErr())) {
            return Restore.restore(client, file, options(target, line, cancellation));
        }
    }

    private void nothing(String reason) {
        print(json ? Json.write(Json.Nothing.because(reason)) : reason);
    }

    private void printPlan(RestorePlan plan) {
        if (json) {
            print(Json.write(Json.Plan.of(plan)));
            return;
        }
        FileTable table = new FileTable(spec.commandLine().getOut());
        plan.files().forEach(table::add);
        print("would restore TXID " + plan.txid() + " from "
                + FileTable.count(plan.files().size()) + ", " + plan.bytes() + " bytes");
    }

    private void printResult(RestoreResult result) {
        if (json) {
            print(Json.write(Json.Result.of(result)));
            return;
        }
        result.movedAside().forEach(path -> print("moved aside: " + path));
        print(String.format(
                Locale.ROOT,
                "restored %s: TXID %s of %s, %d pages of %d bytes, from %s, %d bytes, in %.1f s%s",
                result.target(),
                result.txid(),
                result.timestamp(),
                result.pages(),
                result.pageSize(),
                FileTable.count(result.files()),
                result.bytesRead(),
                result.elapsed().toMillis() / 1000.0,
                result.databaseChecksum().isPresent() ? ", with the checksum it had when captured" : ""));
    }

    private void print(String line) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(line);
        out.flush();
    }
}
