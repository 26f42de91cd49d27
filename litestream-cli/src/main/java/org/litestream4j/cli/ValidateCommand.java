package org.litestream4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.litestream4j.compaction.Validation;
import org.litestream4j.replica.ReplicaClient;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Checks a replica. */
@Command(
        name = "validate",
        description =
                "Checks a replica: no file missing, the newest state restorable. Exit code 1 if a restore may suffer.",
        mixinStandardHelpOptions = true)
final class ValidateCommand implements Callable<Integer> {

    @Mixin
    private ReplicaArguments replica = new ReplicaArguments();

    @Option(names = "--deep", description = "Read every file and check its content, too.")
    private boolean deep;

    @Option(names = "--json", description = "Print a JSON object.")
    private boolean json;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        Validation.Result result;
        try (ReplicaClient client = replica.open()) {
            result = Validation.run(client, deep, () -> false);
        }
        if (json) {
            out.println(Json.write(Json.Check.of(result)));
        } else {
            for (Validation.Problem problem : result.problems()) {
                out.println((problem.isSerious() ? "problem: " : "note: ") + "level " + problem.level() + " "
                        + problem.file() + ": " + ErrorText.oneLine(problem.text()));
            }
            out.println((result.isSound() ? "sound" : "not sound") + ": " + result.files() + " files, " + result.bytes()
                    + " bytes, up to TXID " + result.newest() + (deep ? ", all content read" : ""));
        }
        out.flush();
        return result.isSound() && result.files() > 0 ? 0 : 1;
    }
}
