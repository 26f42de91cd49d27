package org.litestream4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.litestream4j.compaction.Validation;
import org.litestream4j.replica.OtherBackup;
import org.litestream4j.replica.ReplicaClient;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Checks a replica. */
@Command(
        name = "validate",
        description = "Checks a replica for missing files and gaps. Exit code 1 if a restore may fail.",
        mixinStandardHelpOptions = true)
final class ValidateCommand implements Callable<Integer> {

    @Mixin
    private ReplicaArguments replica = new ReplicaArguments();

    @Option(names = "--deep", description = "Also read every file and check its content.")
    private boolean deep;

    @Option(names = "--json", description = "Print a JSON object.")
    private boolean json;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        Validation.Result result;
        String url;
        OtherBackup other;
        try (ReplicaClient client = replica.open()) {
            url = client.url();
            result = Validation.run(client, deep, () -> false);
            other = result.files() == 0 ? client.otherBackup().orElse(null) : null;
        }
        if (json) {
            out.println(Json.write(Json.Check.of(result)));
        } else if (result.files() > 0) {
            for (Validation.Problem problem : result.problems()) {
                out.println((problem.isSerious() ? "problem: " : "note: ") + "level " + problem.level() + " "
                        + problem.file() + ": " + ErrorText.oneLine(problem.text()));
            }
            out.println((result.isSound() ? "sound" : "not sound") + ": " + FileTable.count(result.files()) + ", "
                    + result.bytes() + " bytes, up to TXID " + result.newest() + (deep ? ", all content read" : ""));
        }
        out.flush();
        if (result.files() == 0) {
            String problem = other == null ? "the replica is empty: there is no backup" : other.problem();
            String remedy = other == null ? "check the URL, and whether a process replicates to it" : other.remedy();
            spec.commandLine().getErr().println("error: " + url + ": " + ErrorText.oneLine(problem + "; " + remedy));
            spec.commandLine().getErr().flush();
        }
        return result.isSound() && result.files() > 0 ? 0 : 1;
    }
}
