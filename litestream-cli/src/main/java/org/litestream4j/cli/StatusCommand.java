package org.litestream4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.internal.capture.LocalState;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.restore.RestorableRange;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestorePoints;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows which state of a database is captured and replicated. */
@Command(
        name = "status",
        description = {
            "Shows how far a database is captured (--db), what its replica holds (REPLICA_URL), or both.",
            "Does not open the database. Sends one listing request per level to the replica."
        },
        mixinStandardHelpOptions = true)
final class StatusCommand implements Callable<Integer> {

    @Parameters(
            arity = "0..1",
            paramLabel = "REPLICA_URL",
            description = "URL, such as file:///var/backups/app or s3://bucket/app.")
    private @Nullable String url;

    @Option(
            names = "--setting",
            paramLabel = "NAME=VALUE",
            description = "Setting of the replica; overrides the URL parameter of the same name. May be repeated.")
    private Map<String, String> settings = new LinkedHashMap<>();

    @Option(names = "--db", paramLabel = "DB_PATH", description = "The database file; it need not exist.")
    private @Nullable Path database;

    @Option(
            names = "--meta-path",
            paramLabel = "FOLDER",
            description = "Folder of the local state of --db, if it is not beside the database file.")
    private @Nullable Path metaPath;

    @Option(names = "--json", description = "Print a JSON object.")
    private boolean json;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
        if (database == null && (url == null || metaPath != null)) {
            throw new UsageException(
                    metaPath == null ? "name a database (--db), a replica URL, or both" : "--meta-path requires --db");
        }
        Json.Local local = database == null ? null : local(database);
        Replica replica = url == null ? null : replica(url);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(Json.write(
                    new Json.Status(local, replica == null ? null : Json.Replica.of(replica.url(), replica.points()))));
        } else {
            print(out, local, replica);
        }
        out.flush();
        return 0;
    }

    private Json.Local local(Path file) throws IOException {
        Path meta = metaPath != null ? metaPath : DatabaseConfig.defaultMetaPath(file);
        LocalState state = LocalState.of(meta).orElse(null);
        return Json.Local.of(file, Files.exists(file), meta, state);
    }

    private Replica replica(String address) throws IOException {
        try (ReplicaClient client = ReplicaArguments.open(address, settings)) {
            return new Replica(client.url(), Restore.points(client));
        }
    }

    /** @param url URL without secrets */
    private record Replica(String url, RestorePoints points) {}

    private static void print(PrintWriter out, Json.@Nullable Local local, @Nullable Replica replica) {
        if (local != null) {
            out.println("database    " + local.database() + (local.exists() ? "" : " (does not exist)"));
            out.println("local state " + local.metaPath() + (local.captured() == null ? " (none)" : ""));
            if (local.captured() != null) {
                out.println("captured    TXID " + local.captured());
                out.println(
                        "kept        " + FileTable.count(local.files()) + " of level 0, " + local.bytes() + " bytes");
                out.println("process     " + (local.running() ? "running" : "not running"));
            }
        }
        if (replica != null) {
            out.println("replica     " + replica.url());
            printPoints(out, replica.points());
        }
    }

    private static void printPoints(PrintWriter out, RestorePoints points) {
        out.println("newest      "
                + (points.levels().isEmpty() ? "none, there is no backup" : "TXID " + Json.Replica.newest(points)));
        RestorableRange range = points.range();
        if (range != null) {
            out.println("restorable  TXID " + range.earliest() + " of " + range.earliestTime());
            out.println("to          TXID " + range.latest() + " of " + range.latestTime());
        }
        for (RestorePoints.Level level : points.levels()) {
            out.println("level " + level.level() + "     " + FileTable.count(level.files()) + ", " + level.bytes()
                    + " bytes, TXID " + level.minTxid() + " to " + level.maxTxid());
        }
    }
}
