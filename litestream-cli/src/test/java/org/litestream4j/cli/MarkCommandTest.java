package org.litestream4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The commands {@code mark add}, {@code mark list} and {@code mark remove}, and restores of marks. */
class MarkCommandTest {

    @TempDir
    private Path temp;

    private TestReplica replica;
    private Path output;
    private String out = "";
    private String err = "";

    @BeforeEach
    void makeReplica() {
        replica = TestReplica.create(temp.resolve("replica"));
        output = temp.resolve("restored.db");
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

    private void assertFails(int code, String part, String... args) {
        assertThat(run(args)).as(out + err).isEqualTo(code);
        assertThat(err).contains(part);
    }

    @Test
    void mark_isAddedListedRestoredAndRemoved() {
        assertThat(run("mark", "add", replica.url(), "before-migration-42", "--txid", "2"))
                .as(err)
                .isZero();
        assertThat(out)
                .isEqualToNormalizingNewlines(
                        "mark before-migration-42 is set on TXID 0000000000000002 of" + " 2026-01-01T00:00:02Z\n");
        assertThat(run("mark", "add", replica.url(), "newest", "--expires-after", "P30D"))
                .isZero();
        assertThat(out).contains("TXID 0000000000000003", ", expires 20");
        assertThat(run("mark", "add", replica.url(), "by-time", "--timestamp", "2026-01-01T00:00:02.5Z"))
                .isZero();
        assertThat(out).contains("TXID 0000000000000002");

        assertThat(run("mark", "list", replica.url())).isZero();
        assertThat(out).hasLineCount(3).contains("before-migration-42", "newest", "by-time");
        assertThat(run("restore", "-o", output.toString(), "--mark", "before-migration-42", replica.url()))
                .isZero();
        assertThat(output).hasBinaryContent(replica.image(2));

        assertThat(run("mark", "remove", replica.url(), "by-time")).isZero();
        assertFails(1, "there is no mark named by-time", "mark", "remove", replica.url(), "by-time");
        assertThat(run("mark", "list", "--json", replica.url())).isZero();
        JsonNode marks = JsonMapper.shared().readTree(out).path("marks");
        assertThat(marks.size()).isEqualTo(2);
        assertThat(marks.path(0).path("name").asString()).isEqualTo("before-migration-42");
        assertThat(marks.path(0).path("expires").isNull()).isTrue();
        assertThat(marks.path(0).path("restorable").asBoolean()).isTrue();
    }

    @Test
    void markOnATransactionThatIsGone_isAClearError() throws Exception {
        assertThat(run("mark", "add", replica.url(), "m", "--txid", "3")).isZero();
        Files.delete(replica.file(0, 3));
        assertFails(
                1,
                "the mark m names transaction 0000000000000003 of 2026-01-01T00:00:03Z, which can no longer be restored",
                "restore",
                "-o",
                output.toString(),
                "--mark",
                "m",
                replica.url());
        assertThat(output).doesNotExist();
        assertThat(run("mark", "list", replica.url())).isZero();
        assertThat(out).contains("can no longer be restored");
    }

    @Test
    void mistakes_areExplained() {
        assertFails(2, "name a command", "mark");
        assertFails(2, "1 to 64 letters", "mark", "add", replica.url(), "a/b");
        assertFails(2, "must be positive", "mark", "add", replica.url(), "x", "--expires-after", "PT0S");
        assertFails(2, "cannot be combined", "mark", "add", replica.url(), "x", "--txid", "2", "--timestamp", "1h ago");
        assertFails(1, "transaction not available", "mark", "add", replica.url(), "x", "--txid", "99");
        assertThat(run("mark", "add", replica.url(), "x")).isZero();
        assertFails(1, "there is already a mark named x", "mark", "add", replica.url(), "x");
        assertFails(1, "there is no mark named y", "restore", "-o", output.toString(), "--mark", "y", replica.url());
        assertFails(
                2,
                "--mark cannot be combined",
                "restore",
                "-o",
                output.toString(),
                "--mark",
                "x",
                "--txid",
                "2",
                replica.url());
        assertThat(run("mark", "list", temp.resolve("none").toUri().toString())).isZero();
        assertThat(out).contains("no marks");
    }

    @Test
    void snapshotKeep_isParsed() {
        String database = temp.resolve("none.db").toString();
        assertFails(
                2,
                "hourly = 2000",
                "replicate",
                "--once",
                "--snapshot-keep",
                "daily=7,hourly=2000",
                database,
                replica.url());
        assertFails(
                1, "none.db", "replicate", "--once", "--snapshot-keep", "daily=7,weekly=4", database, replica.url());
    }
}
