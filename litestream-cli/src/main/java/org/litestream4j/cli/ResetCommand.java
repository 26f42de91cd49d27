package org.litestream4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.internal.capture.LocalState;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Deletes the local state of a database. */
@Command(
        name = "reset",
        description = {
            "Deletes the local replication state of a database. Does not change the database or the replica.",
            "The next start captures the whole database. No process may be replicating it."
        },
        mixinStandardHelpOptions = true)
final class ResetCommand implements Callable<Integer> {

    @Parameters(paramLabel = "DB_PATH", description = "The database file; it need not exist.")
    private Path database = Path.of("");

    @Option(
            names = "--meta-path",
            paramLabel = "FOLDER",
            description = "Folder of the local state, if it is not beside the database file.")
    private @Nullable Path metaPath;

    @Option(names = "--dry-run", description = "Print the files that would be deleted, and delete nothing.")
    private boolean dryRun;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
        Path meta = metaPath != null ? metaPath : DatabaseConfig.defaultMetaPath(database);
        List<Path> files = LocalState.reset(database, meta, dryRun);
        PrintWriter out = spec.commandLine().getOut();
        files.forEach(file -> out.println((dryRun ? "would delete " : "deleted ") + file));
        if (files.isEmpty()) {
            out.println("no local state in " + meta);
        }
        out.flush();
        return 0;
    }
}
