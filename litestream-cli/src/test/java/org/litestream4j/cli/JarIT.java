package org.litestream4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.ReplicaLocation;

/** Runs the jar as an operator does. */
class JarIT {

    @TempDir
    Path temp;

    private record Run(int code, String out, String err) {}

    private Run run(String... args) throws IOException, InterruptedException {
        return run(List.of(), args);
    }

    private Run run(List<String> before, String... args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(before);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:-UsePerfData",
                "-jar",
                System.getProperty("cli.jar")));
        command.addAll(List.of(args));
        Path out = temp.resolve("out.txt");
        Path err = temp.resolve("err.txt");
        Process process = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Run(
                process.exitValue(),
                Files.readString(out, StandardCharsets.UTF_8),
                Files.readString(err, StandardCharsets.UTF_8));
    }

    @Test
    void jar_restore_writesTheDatabaseAndIsQuiet() throws Exception {
        TestReplica replica = TestReplica.create(temp.resolve("replica"));
        Path output = temp.resolve("restored.db");
        Run run = run("restore", "-o", output.toString(), replica.url());
        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        assertThat(run.out()).startsWith("restored " + output).hasLineCount(1);
        assertThat(output).hasBinaryContent(replica.image(3));
    }

    @Test
    void jar_integrityCheck_loadsSqliteAndFails() throws Exception {
        TestReplica replica = TestReplica.create(temp.resolve("replica"));
        Run run = run(
                "restore", "--integrity-check=full", "-o", temp.resolve("x.db").toString(), replica.url());
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err()).contains("SQLite finds the database damaged").hasLineCount(1);
        assertThat(run.out()).isEmpty();
    }

    /** A limit for files is like a disk that gets full in the middle. */
    @Test
    void jar_restoreThatCannotBeWritten_namesTheFileAndLeavesNothing() throws Exception {
        TestReplica replica = TestReplica.create(temp.resolve("replica"));
        Path output = temp.resolve("data/restored.db");
        assertThat(replica.image(3).length).isGreaterThan(1024);
        Run run = run(
                List.of("sh", "-c", "ulimit -f 1; exec \"$@\"", "sh"),
                "restore",
                "-o",
                output.toString(),
                replica.url());
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err())
                .startsWith("error: " + output + " cannot be written: ")
                .contains("make room")
                .hasLineCount(1);
        assertThat(output.getParent()).isEmptyDirectory();
    }

    @Test
    void jar_nameThatTheLocaleLacks_namesTheLocaleAndTheRemedy() throws Exception {
        TestReplica replica = TestReplica.create(temp.resolve("replica"));
        for (List<String> arguments : List.of(List.of("restore", replica.url(), "-o"), List.of("replicate"))) {
            Run run = run(
                    List.of(
                            "sh",
                            "-c",
                            "LC_ALL=C exec \"$@\" \"$0/$(printf '\\303\\274').db\" file:///x",
                            temp.toString()),
                    arguments.toArray(String[]::new));
            assertThat(run.code()).isEqualTo(2);
            assertThat(run.err())
                    .contains("locale", "LC_ALL=C.UTF-8")
                    .doesNotContain("Exception", "interface")
                    .hasLineCount(1);
        }
    }

    @Test
    void jar_nameWithBytesThatAreNoCharacters_saysSo() throws Exception {
        for (List<String> arguments : List.of(List.of("status", "--db"), List.of("replicate"))) {
            Run run = run(
                    List.of(
                            "sh",
                            "-c",
                            "LC_ALL=C.UTF-8 exec \"$@\" \"$0/$(printf '\\377').db\" file:///x",
                            temp.toString()),
                    arguments.toArray(String[]::new));
            assertThat(run.code()).isEqualTo(2);
            assertThat(run.err())
                    .contains("bytes that are not characters in UTF-8; rename the file")
                    .hasLineCount(1);
        }
    }

    @Test
    void jar_unknownScheme_namesAllBackends() throws Exception {
        Run run = run("ltx", "gopher://host/path");
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err()).contains("file", "nats", "s3").hasLineCount(1);
    }

    /** Port 1 refuses connections: what matters is that the client's libraries are in the jar and their loggers quiet. */
    @Test
    void jar_unreachableStores_failInOneLine() throws Exception {
        for (String url : List.of(
                "s3://bucket/app?endpoint=http://127.0.0.1:1&region=us-east-1&access-key-id=a&secret-access-key=secret",
                "nats://user:secret@127.0.0.1:1/bucket")) {
            Run run = run("ltx", url);
            assertThat(run.code()).as(run.err()).isEqualTo(1);
            assertThat(run.err()).startsWith("error: ").hasLineCount(1).doesNotContain("secret", "NoClassDef");
            assertThat(run.out()).isEmpty();
        }
    }

    @Test
    void jar_version_isPrinted() throws Exception {
        Run run = run("--version");
        assertThat(run.code()).isZero();
        assertThat(run.out()).matches("litestream-cli \\d\\S+\\s+");
    }

    /** As a monitoring user runs it, beside the process that replicates. */
    @Test
    void jar_status_needsNoRightToWrite() throws Exception {
        Path database = temp.resolve("app.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement();
                Litestream litestream = Litestream.builder().build()) {
            statement.execute("create table t(x)");
            ManagedDatabase managed = litestream.register(
                    DatabaseConfig.builder(database, ReplicaLocation.of("file://" + temp.resolve("replica")))
                            .build());
            managed.sync(Duration.ofSeconds(30));
            List<String> asReader = makeReadOnly();
            Run run = run(
                    asReader,
                    "status",
                    "--db",
                    database.toString(),
                    temp.resolve("replica").toUri().toString());
            assertThat(run.err()).isEmpty();
            assertThat(run.code()).isZero();
            assertThat(run.out())
                    .contains("captured    TXID " + managed.status().captured())
                    .contains("process     running")
                    .contains("newest      TXID " + managed.status().replicated());
        } finally {
            mode("u+rwX");
        }
    }

    /** Returns the command prefix that runs a program without the right to write, which root has on every file. */
    private List<String> makeReadOnly() throws Exception {
        mode("a+rX,a-w");
        if (!Files.isWritable(temp.resolve("replica"))) {
            return List.of();
        }
        List<String> prefix = List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");
        List<String> probe = new ArrayList<>(prefix);
        probe.addAll(List.of("test", "-r", System.getProperty("cli.jar")));
        assumeTrue(new ProcessBuilder(probe).start().waitFor() == 0, "needs setpriv, and a jar that all may read");
        return prefix;
    }

    private void mode(String change) throws Exception {
        Process process = new ProcessBuilder("chmod", "-R", change, temp.toString())
                .inheritIO()
                .start();
        assertThat(process.waitFor()).isZero();
    }
}
