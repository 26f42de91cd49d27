package org.litestream4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.litestream4j.drill.DrillFinding;
import org.litestream4j.drill.DrillOptions;
import org.litestream4j.drill.DrillReport;
import org.litestream4j.drill.DrilledState;
import org.litestream4j.drill.RestoreDrill;
import org.litestream4j.drill.RestoreDrillCheck;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreTarget;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Proves that a replica can be restored. */
@Command(
        name = "drill",
        description = {
            "Restores the newest and a past state of a replica to temporary files, checks and deletes them.",
            "Exit code: 0 passed, 1 failed, 3 inconclusive (nothing is proved), 2 invalid usage.",
            "With --verify, checks the signature of a report instead: 0 valid, 1 not valid."
        },
        mixinStandardHelpOptions = true)
final class DrillCommand implements Callable<Integer> {

    private static final int FAILED = 1;

    private static final int INCONCLUSIVE = 3;

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

    @Option(
            names = "--at",
            paramLabel = "T",
            description = "Past state to restore: a time (ISO 8601 with a zone, or \"5 minutes ago\") or a TXID (16"
                    + " hexadecimal digits). Default: a random moment of the retained past.")
    private @Nullable String at;

    @Option(
            names = "--check",
            paramLabel = "SQL",
            description = "Query that must return a number other than 0 in its first column, for both states. May be"
                    + " repeated.")
    private List<String> checks = new ArrayList<>();

    @Option(
            names = "--replicated",
            paramLabel = "HEX",
            description = "TXID that is known to be replicated; the drill fails if the newest state is older.")
    private @Nullable String replicated;

    @Option(names = "--no-foreign-keys", description = "Accept rows that violate foreign keys.")
    private boolean noForeignKeys;

    @Option(names = "--deep", description = "Also read every file of the replica.")
    private boolean deep;

    @Option(
            names = "--directory",
            paramLabel = "FOLDER",
            description = "Folder for the restored databases. Default: a folder for temporary files.")
    private Path directory = Path.of(System.getProperty("java.io.tmpdir"), "litestream-drills");

    @Option(names = "--timeout", paramLabel = "DURATION", description = "Maximum duration. Default: PT1H.")
    private Duration timeout = DrillOptions.DEFAULT_TIMEOUT;

    @Option(
            names = "--load",
            paramLabel = "PERCENT",
            description =
                    "Part of the time in which the drill works, 1 to 100. Default: 100, with 8 connections; below, one"
                            + " connection.")
    private int load = 100;

    @Option(names = "--report", paramLabel = "FILE", description = "Write the report to this file, as JSON.")
    private @Nullable Path report;

    @Option(
            names = "--sign-key",
            paramLabel = "PEM",
            description = "Ed25519 private key; signs the report, in a file of the same name with .sig appended.")
    private @Nullable Path signKey;

    @Option(
            names = "--verify",
            paramLabel = "FILE",
            description = "Check the signature of this report. Requires --public-key.")
    private @Nullable Path verify;

    @Option(names = "--public-key", paramLabel = "PEM", description = "Ed25519 public key for --verify.")
    private @Nullable Path publicKey;

    @Option(names = "--json", description = "Print the report as JSON.")
    private boolean json;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
        if (verify != null) {
            return verify(verify);
        }
        if (url == null) {
            throw new UsageException("missing parameter REPLICA_URL, or --verify");
        }
        if (publicKey != null || (signKey != null && report == null)) {
            throw new UsageException(
                    publicKey != null ? "--public-key requires --verify" : "--sign-key requires --report");
        }
        PrivateKey key = signKey == null ? null : Signing.privateKey(signKey);
        DrillReport result = drill(url);
        String text = Json.write(result.describe());
        if (report != null) {
            write(report, (text + "\n").getBytes(StandardCharsets.UTF_8), key);
        }
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(text);
        } else {
            print(out, result);
        }
        out.flush();
        return switch (result.outcome()) {
            case PASSED -> 0;
            case FAILED -> FAILED;
            case INCONCLUSIVE -> INCONCLUSIVE;
        };
    }

    private DrillReport drill(String address) {
        try (Cancellation cancellation = Cancellation.onShutdown()) {
            DrillOptions.Builder builder = DrillOptions.builder(directory)
                    .past(at == null ? null : past(at))
                    .foreignKeys(!noForeignKeys)
                    .deep(deep)
                    .timeout(timeout)
                    .load(load)
                    .parallelism(load == 100 ? RestoreOptions.DEFAULT_PARALLELISM : 1)
                    .cancelled(cancellation::isCancelled);
            checks.forEach(sql -> builder.check(RestoreDrillCheck.sql(sql)));
            ReplicaLocation location = new ReplicaLocation(address, settings);
            return RestoreDrill.run(
                    listener -> Replicas.open(location, listener),
                    builder.build(),
                    replicated == null ? null : Txid.parse(replicated));
        } catch (IllegalArgumentException e) {
            throw new UsageException(e);
        }
    }

    private static RestoreTarget past(String text) {
        return text.matches("[0-9a-fA-F]{16}")
                ? RestoreTarget.txid(Txid.parse(text))
                : RestoreTarget.timestamp(text, Clock.systemUTC());
    }

    /** Writes a report and its signature; deletes a signature of an earlier report. */
    private static void write(Path file, byte[] content, @Nullable PrivateKey key) throws IOException {
        Path signature = Signing.signatureOf(file);
        Files.deleteIfExists(signature);
        Files.write(file, content);
        if (key != null) {
            Files.write(signature, Signing.sign(content, key));
        }
    }

    private int verify(Path file) throws IOException {
        if (url != null || publicKey == null) {
            throw new UsageException(
                    url != null ? "--verify cannot be combined with a replica" : "--verify requires --public-key");
        }
        PublicKey key = Signing.publicKey(publicKey);
        byte[] content = Files.readAllBytes(file);
        Path signatureFile = Signing.signatureOf(file);
        byte[] signature;
        try {
            signature = Files.readAllBytes(signatureFile);
        } catch (NoSuchFileException e) {
            throw new IOException(file + " is not signed: there is no " + signatureFile, e);
        }
        if (!Signing.isValid(content, signature, key)) {
            throw new IOException(file + " was changed after it was signed, or was signed with another key");
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println("valid signature: " + file);
        out.flush();
        return 0;
    }

    private static void print(PrintWriter out, DrillReport report) {
        print(out, "newest  ", report.newest());
        print(out, "past    ", report.past());
        for (DrillFinding finding : report.findings()) {
            out.println("finding  " + finding.kind() + ": " + ErrorText.oneLine(finding.text()));
        }
        if (report.problem() != null) {
            out.println("problem  " + ErrorText.oneLine(report.problem()));
        }
        Duration recovery = report.recoveryTime();
        Duration age = report.newestAge();
        if (recovery != null && age != null) {
            out.println("recovery " + recovery.toMillis() + " ms, newest commit " + age.toSeconds() + " s old");
        }
        out.println("read     " + report.bytesReceived() + " bytes, " + report.requestCount() + " billed requests");
        out.println(report.outcome());
    }

    private static void print(PrintWriter out, String name, @Nullable DrilledState state) {
        if (state != null) {
            out.println(name + " TXID " + state.txid() + " of " + state.timestamp() + ", " + state.bytes() + " bytes, "
                    + FileTable.count(state.files()) + ", restored in "
                    + state.recovery().toMillis() + " ms");
        }
    }
}
