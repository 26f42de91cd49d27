package org.litestream4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The command {@code copy}. */
class CopyCommandTest {

    @TempDir
    private Path temp;

    private TestReplica replica;
    private Path copy;
    private String out = "";
    private String err = "";

    @BeforeEach
    void makeReplica() {
        replica = TestReplica.create(temp.resolve("replica"));
        copy = temp.resolve("copy");
    }

    private int run(String... args) {
        StringWriter outText = new StringWriter();
        StringWriter errText = new StringWriter();
        CommandLine commandLine =
                LitestreamCli.commandLine().setOut(new PrintWriter(outText)).setErr(new PrintWriter(errText));
        int code = commandLine.execute(args);
        out = outText.toString();
        err = errText.toString();
        return code;
    }

    private static List<String> files(Path replica) throws IOException {
        try (Stream<Path> files = Files.walk(replica)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> replica.relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void copy_wholeReplica_hasEqualFiles() throws IOException {
        assertThat(run("copy", replica.url(), copy.toUri().toString())).as(err).isZero();
        assertThat(out).matches("copied \\d+ files, \\d+ bytes; the copy is at TXID 0000000000000003\\R");
        assertThat(files(copy)).isEqualTo(files(temp.resolve("replica"))).isNotEmpty();
        Path output = temp.resolve("restored.db");
        assertThat(run("restore", "-o", output.toString(), copy.toUri().toString()))
                .isZero();
        assertThat(output).hasBinaryContent(replica.image(3));
    }

    @Test
    void copy_json_printsTheResult() {
        assertThat(run("copy", "--json", replica.url(), copy.toUri().toString()))
                .as(err)
                .isZero();
        JsonNode result = JsonMapper.shared().readTree(out);
        assertThat(result.path("newestTxid").asString()).isEqualTo("0000000000000003");
        assertThat(result.path("files").asInt()).isPositive();
        assertThat(result.path("damaged").isEmpty()).isTrue();
    }

    @Test
    void copy_toAReplicaOfAnotherDatabase_isRefused() throws IOException {
        run("copy", replica.url(), copy.toUri().toString());
        List<String> before = files(copy);
        Path newest = copy.resolve(before.get(0));
        Files.write(newest, new byte[] {1}, java.nio.file.StandardOpenOption.APPEND);
        assertThat(run("copy", replica.url(), copy.toUri().toString())).isEqualTo(1);
        assertThat(err).startsWith("error: ").contains("different histories").hasLineCount(1);
        assertThat(files(copy)).isEqualTo(before);
    }

    @ParameterizedTest
    @CsvSource({
        "--since=yesterday, not a point in time",
        "--since=2026-01-01T00:00:00Z --latest-only, cannot be combined",
        "--delete --latest-only, cannot be combined",
        "--concurrency=0, concurrency must be 1 to 64",
        "--follow-interval=PT1S, --follow-interval requires --follow",
        "--follow --follow-interval=PT0S, at least PT0.1S",
    })
    void copy_wrongUsage_isNamed(String options, String problem) {
        String line = "copy " + options + " " + replica.url() + " " + copy.toUri();
        assertThat(run(line.split(" "))).isEqualTo(2);
        assertThat(err).contains(problem).hasLineCount(1);
        assertThat(copy).doesNotExist();
    }

    @Test
    void copy_toItself_isRefused() {
        assertThat(run("copy", replica.url(), replica.url())).isEqualTo(2);
        assertThat(err).contains("the same replica");
    }

    @Test
    void copy_missingSource_saysSo() {
        assertThat(run(
                        "copy",
                        temp.resolve("none").toUri().toString(),
                        copy.toUri().toString()))
                .isEqualTo(1);
        assertThat(err).contains("there is no backup");
    }
}
