package org.litestream4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.DatabaseState;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.Litestream;
import org.litestream4j.LitestreamException;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.ReplicaLocation;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Replicates a database that other processes write. */
@Command(
        name = "replicate",
        description = {
            "Replicates a database that other processes write, until it is stopped.",
            "It sees their commits in the WAL; programs with SQLite older than 3.51.3 should not write there."
        },
        mixinStandardHelpOptions = true)
final class ReplicateCommand implements Callable<Integer> {

    /** The writers are not ours and cannot tell of their commits. */
    private static final Duration WATCH_INTERVAL = Duration.ofMillis(100);

    private static final Duration STATUS_INTERVAL = Duration.ofSeconds(1);

    @Parameters(index = "0", paramLabel = "DB_PATH", description = "The database file.")
    private Path database = Path.of("");

    @Parameters(
            index = "1",
            paramLabel = "REPLICA_URL",
            description = "For example file:///var/backups/app or s3://bucket/app?region=eu-central-1")
    private String url = "";

    @Option(
            names = "--setting",
            paramLabel = "NAME=VALUE",
            description = "A setting of the backend; beats the URL's parameter of that name. May be repeated.")
    private Map<String, String> settings = new LinkedHashMap<>();

    @Option(names = "--once", description = "Capture what is committed now, upload it, and exit.")
    private boolean once;

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            description =
                    "Longest wait for the replica with --once and when stopped, as in PT30S. Default: PT5M, PT30S.")
    private @Nullable Duration timeout;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (!Files.exists(database)) {
            throw new NoSuchFileException(database.toString());
        }
        ReplicaArguments.open(url, settings).close(); // checks them
        DatabaseConfig.Builder config = DatabaseConfig.builder(database, new ReplicaLocation(url, settings));
        if (timeout != null) {
            config.shutdownSyncTimeout(timeout);
        }
        return once ? replicateOnce(config.build()) : replicate(config.build());
    }

    private int replicateOnce(DatabaseConfig config) throws IOException, InterruptedException {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase managed = litestream.register(config);
            managed.sync(timeout != null ? timeout : Duration.ofMinutes(5));
            DatabaseStatus status = managed.status();
            print("replicated " + status.path() + " to " + status.replica() + ", TXID " + status.replicated());
            return 0;
        }
    }

    private int replicate(DatabaseConfig config) throws IOException, InterruptedException {
        Duration patience = config.shutdownSyncTimeout().plusSeconds(10);
        try (Cancellation cancellation = Cancellation.onShutdown(patience);
                Litestream litestream =
                        Litestream.builder().watchInterval(WATCH_INTERVAL).build()) {
            ManagedDatabase managed = litestream.register(config);
            print("replicating " + managed.status().path() + " to "
                    + managed.status().replica());
            while (!cancellation.await(STATUS_INTERVAL)) {
                if (managed.status().state() == DatabaseState.CONFLICT) {
                    throw new LitestreamException(
                            config.path().toString(),
                            String.valueOf(managed.status().lastError()),
                            "",
                            null);
                }
            }
            litestream.unregister(managed.name());
            cancellation.succeeded();
            print("replicated " + config.path() + ", TXID " + managed.status().replicated());
            return 0;
        }
    }

    private void print(String line) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(line);
        out.flush();
    }
}
