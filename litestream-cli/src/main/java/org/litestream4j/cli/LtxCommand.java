package org.litestream4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Lists the files of a replica. */
@Command(
        name = "ltx",
        description = "Lists the LTX files of a replica, level by level.",
        mixinStandardHelpOptions = true)
final class LtxCommand implements Callable<Integer> {

    @Mixin
    private ReplicaArguments replica = new ReplicaArguments();

    @Option(names = "--level", paramLabel = "N", description = "List only this level, 0 to 9 (snapshots).")
    private @Nullable Integer level;

    @Option(names = "--json", description = "Print a JSON array.")
    private boolean json;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
        Integer only = level;
        if (only != null && (only < 0 || only > ReplicaClient.SNAPSHOT_LEVEL)) {
            throw new UsageException("no such level: " + only + ", must be 0 to " + ReplicaClient.SNAPSHOT_LEVEL);
        }
        PrintWriter out = spec.commandLine().getOut();
        try (ReplicaClient client = replica.open()) {
            if (json) {
                List<Json.File> files = new ArrayList<>();
                list(client, only, file -> files.add(Json.File.of(file)));
                out.println(Json.write(files));
            } else {
                FileTable table = new FileTable(out);
                list(client, only, file -> {
                    table.add(file);
                    return true;
                });
            }
        }
        out.flush();
        return 0;
    }

    private static void list(ReplicaClient client, @Nullable Integer only, ReplicaClient.Visitor visitor)
            throws IOException {
        for (int each = 0; each <= ReplicaClient.SNAPSHOT_LEVEL; each++) {
            if (only == null || only == each) {
                client.list(each, Txid.NONE, visitor);
            }
        }
    }
}
