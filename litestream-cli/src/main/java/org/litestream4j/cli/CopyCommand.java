package org.litestream4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.litestream4j.copy.CopyListener;
import org.litestream4j.copy.CopyOptions;
import org.litestream4j.copy.CopyResult;
import org.litestream4j.copy.ReplicaCopy;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.restore.RestoreTarget;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Copies a replica to another store. */
@Command(
        name = "copy",
        description = {
            "Copies a replica to another store, of the same or another kind.",
            "Files that the target has are not copied again, so that an interrupted copy continues.",
            "No program may replicate to the target. Exit code 1 if files of the source are damaged."
        },
        mixinStandardHelpOptions = true)
final class CopyCommand implements Callable<Integer> {

    private static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(10);

    private static final Duration MIN_INTERVAL = Duration.ofMillis(100);

    @Parameters(index = "0", paramLabel = "FROM_URL", description = "URL of the replica to copy.")
    private String from = "";

    @Parameters(index = "1", paramLabel = "TO_URL", description = "URL of the copy.")
    private String to = "";

    @Option(
            names = "--from-setting",
            paramLabel = "NAME=VALUE",
            description =
                    "Setting of the replica to copy; overrides the URL parameter of the same name. May be repeated.")
    private Map<String, String> fromSettings = new LinkedHashMap<>();

    @Option(
            names = "--to-setting",
            paramLabel = "NAME=VALUE",
            description = "Setting of the copy; overrides the URL parameter of the same name. May be repeated.")
    private Map<String, String> toSettings = new LinkedHashMap<>();

    @Option(
            names = "--since",
            paramLabel = "TIME",
            description = "Copy only what restores this moment and all later ones: ISO 8601 with a zone"
                    + " (2026-11-24T10:15:30Z), or relative to now (\"30 days ago\").")
    private @Nullable String since;

    @Option(names = "--latest-only", description = "Copy only the files that restore the newest state.")
    private boolean latestOnly;

    @Option(
            names = "--delete",
            description =
                    "Delete the files of the copy that the source no longer contains, after all others are copied.")
    private boolean delete;

    @Option(
            names = "--concurrency",
            paramLabel = "N",
            description = "Number of files to copy at the same time. Default: " + CopyOptions.DEFAULT_CONCURRENCY + ".")
    private int concurrency = CopyOptions.DEFAULT_CONCURRENCY;

    @Option(names = "--follow", description = "Keep the copy up to date until the command is stopped.")
    private boolean follow;

    @Option(
            names = "--follow-interval",
            paramLabel = "DURATION",
            description = "Interval between two polls of the source, for example PT1M. Default: PT10S.")
    private @Nullable Duration followInterval;

    @Option(names = "--json", description = "Print a JSON object; with --follow, one line for each copy.")
    private boolean json;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
        Duration interval = followInterval == null ? DEFAULT_INTERVAL : followInterval;
        if (followInterval != null && !follow) {
            throw new UsageException("--follow-interval requires --follow");
        }
        if (interval.compareTo(MIN_INTERVAL) < 0) {
            throw new UsageException("--follow-interval must be at least PT0.1S: " + interval);
        }
        try (ReplicaClient source = ReplicaArguments.open(from, fromSettings);
                ReplicaClient target = ReplicaArguments.open(to, toSettings);
                Cancellation cancellation = Cancellation.onShutdown();
                ProgressLine line = new ProgressLine(spec.commandLine().getErr())) {
            if (source.url().equals(target.url())) {
                throw new UsageException("FROM_URL and TO_URL are the same replica");
            }
            Output output = new Output(line);
            CopyOptions options = options(output, cancellation);
            if (follow) {
                ReplicaCopy.follow(source, target, options, interval);
                cancellation.ended(0);
                return 0;
            }
            CopyResult result = ReplicaCopy.copy(source, target, options);
            output.print(result);
            return result.damaged().isEmpty() ? 0 : 1;
        }
    }

    private CopyOptions options(CopyListener listener, Cancellation cancellation) {
        if (since != null && latestOnly) {
            throw new UsageException("--since and --latest-only cannot be combined");
        }
        if (delete && (since != null || latestOnly)) {
            throw new UsageException("--delete cannot be combined with --since or --latest-only");
        }
        try {
            return CopyOptions.builder()
                    .since(moment())
                    .latestOnly(latestOnly)
                    .deleteExtra(delete)
                    .concurrency(concurrency)
                    .listener(listener)
                    .cancelled(cancellation::isCancelled)
                    .build();
        } catch (IllegalArgumentException e) {
            throw new UsageException(e);
        }
    }

    private @Nullable Instant moment() {
        return since != null
                        && RestoreTarget.timestamp(since, Clock.systemUTC()) instanceof RestoreTarget.AtTimestamp at
                ? at.timestamp()
                : null;
    }

    /** Shows the progress on a terminal, and the results. */
    private final class Output implements CopyListener {

        private final PrintWriter out = spec.commandLine().getOut();
        private final PrintWriter err = spec.commandLine().getErr();
        private final ProgressLine line;
        private final boolean showsProgress = !json && ProgressLine.isTerminal();
        private int totalFiles;
        private long totalBytes;
        private int files;
        private long bytes;

        Output(ProgressLine line) {
            this.line = line;
        }

        @Override
        public void onFiles(int count, long size) {
            totalFiles += count;
            totalBytes += size;
        }

        @Override
        public void onCopied(LtxFileInfo file) {
            files++;
            bytes += file.size();
            if (showsProgress) {
                line.replace(String.format(
                        Locale.ROOT,
                        "copying: file %d of %d, %.1f of %.1f MB",
                        files,
                        totalFiles,
                        bytes / 1e6,
                        totalBytes / 1e6));
            }
        }

        @Override
        public void onResult(CopyResult result) {
            if (result.files() > 0 || result.deleted() > 0 || result.marks() > 0) {
                print(result);
            }
        }

        @Override
        public void onFailure(IOException failure) {
            line.close();
            err.println("warning: " + ErrorText.oneLine(ErrorText.of(failure)) + "; will retry");
            err.flush();
        }

        void print(CopyResult result) {
            line.close();
            for (LtxFileInfo file : result.damaged()) {
                err.println("warning: " + file.level() + "/" + file.name() + " is damaged and was not copied");
            }
            err.flush();
            if (json) {
                Json.Copied copied = Json.Copied.of(result);
                out.println(follow ? Json.writeLine(copied) : Json.write(copied));
            } else {
                out.println(text(result));
            }
            out.flush();
        }

        private String text(CopyResult result) {
            return "copied " + FileTable.count(result.files()) + ", " + result.bytes() + " bytes"
                    + (result.deleted() > 0 ? ", deleted " + FileTable.count(result.deleted()) : "")
                    + (result.marks() > 0
                            ? ", copied " + result.marks() + (result.marks() == 1 ? " mark" : " marks")
                            : "")
                    + "; the copy is at TXID " + result.newest();
        }
    }
}
