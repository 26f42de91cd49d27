package org.litestream4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.Mark;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.restore.Marks;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Sets, lists and removes marks. */
@Command(
        name = "mark",
        description = {
            "Sets, lists and removes the marks of a replica.",
            "A mark names a state. While it exists, retention keeps the files that restore this state."
        },
        mixinStandardHelpOptions = true,
        subcommands = {MarkCommand.Add.class, MarkCommand.ListMarks.class, MarkCommand.Remove.class})
final class MarkCommand implements Runnable {

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "name a command: add, list or remove");
    }

    private static void print(CommandSpec spec, String text) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(text);
        out.flush();
    }

    /** Sets a mark. */
    @Command(
            name = "add",
            description = {
                "Sets a mark, by default on the newest state of the replica.",
                "The replica may be in use by a running application."
            },
            mixinStandardHelpOptions = true)
    static final class Add implements Callable<Integer> {

        @Mixin
        private ReplicaArguments replica = new ReplicaArguments();

        @Parameters(index = "1", paramLabel = "NAME", description = "Name: " + Mark.ALLOWED_NAMES + ".")
        private String name = "";

        @Option(names = "--txid", paramLabel = "HEX", description = "Mark the state after this transaction.")
        private @Nullable String txid;

        @Option(
                names = "--timestamp",
                paramLabel = "TIME",
                description = "Mark the newest state before this time: ISO 8601 with a zone"
                        + " (2026-11-24T10:15:30Z), or relative to now (\"5 minutes ago\").")
        private @Nullable String timestamp;

        @Option(
                names = "--expires-after",
                paramLabel = "DURATION",
                description = "Time after which the mark keeps nothing, for example P30D. Default: never.")
        private @Nullable Duration expiresAfter;

        @Option(names = "--json", description = "Print a JSON object.")
        private boolean json;

        @Spec
        private CommandSpec spec = CommandSpec.create();

        @Override
        public Integer call() throws IOException {
            if (txid != null && timestamp != null) {
                throw new UsageException("--txid and --timestamp cannot be combined");
            }
            try (ReplicaClient client = replica.open()) {
                Mark mark;
                try {
                    mark = Marks.add(
                            client,
                            name,
                            RestoreCommand.target(txid, timestamp, null),
                            expiresAfter,
                            Clock.systemUTC());
                } catch (IllegalArgumentException e) {
                    throw new UsageException(e);
                }
                print(
                        spec,
                        json
                                ? Json.write(Json.MarkInfo.of(mark, true))
                                : "mark " + mark.name() + " is set on TXID " + mark.txid() + " of " + mark.timestamp()
                                        + (mark.expires() == null ? "" : ", expires " + mark.expires()));
            }
            return 0;
        }
    }

    /** Lists marks. */
    @Command(
            name = "list",
            description = "Lists the marks of a replica, and whether their states can be restored.",
            mixinStandardHelpOptions = true)
    static final class ListMarks implements Callable<Integer> {

        @Mixin
        private ReplicaArguments replica = new ReplicaArguments();

        @Option(names = "--json", description = "Print JSON.")
        private boolean json;

        @Spec
        private CommandSpec spec = CommandSpec.create();

        @Override
        public Integer call() throws IOException {
            try (ReplicaClient client = replica.open()) {
                List<Mark> marks = Marks.list(client);
                List<Mark> restorable = Marks.restorable(client, marks);
                if (json) {
                    print(
                            spec,
                            Json.write(new Json.MarkList(marks.stream()
                                    .map(mark -> Json.MarkInfo.of(mark, restorable.contains(mark)))
                                    .toList())));
                    return 0;
                }
                if (marks.isEmpty()) {
                    print(spec, "no marks");
                }
                Instant now = Instant.now();
                for (Mark mark : marks) {
                    String expires = mark.expires() == null
                            ? ""
                            : mark.isExpired(now) ? ", expired " + mark.expires() : ", expires " + mark.expires();
                    print(
                            spec,
                            String.format(
                                    Locale.ROOT,
                                    "%-24s TXID %s of %s%s%s",
                                    mark.name(),
                                    mark.txid(),
                                    mark.timestamp(),
                                    expires,
                                    restorable.contains(mark) ? "" : ", can no longer be restored"));
                }
            }
            return 0;
        }
    }

    /** Removes a mark. */
    @Command(
            name = "remove",
            description = "Removes a mark. The files that it kept are deleted by the next runs of retention.",
            mixinStandardHelpOptions = true)
    static final class Remove implements Callable<Integer> {

        @Mixin
        private ReplicaArguments replica = new ReplicaArguments();

        @Parameters(index = "1", paramLabel = "NAME", description = "Name of the mark.")
        private String name = "";

        @Spec
        private CommandSpec spec = CommandSpec.create();

        @Override
        public Integer call() throws IOException {
            try (ReplicaClient client = replica.open()) {
                boolean removed;
                try {
                    removed = Marks.remove(client, name);
                } catch (IllegalArgumentException e) {
                    throw new UsageException(e);
                }
                if (!removed) {
                    throw new IOException(client.url() + ": there is no mark named " + name);
                }
                print(spec, "mark " + name + " is removed");
            }
            return 0;
        }
    }
}
