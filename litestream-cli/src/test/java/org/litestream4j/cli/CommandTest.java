package org.litestream4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class CommandTest {

    @TempDir
    Path temp;

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
        assertThat(run(args)).isEqualTo(code);
        assertThat(out).isEmpty();
        assertThat(err).startsWith("error: ").contains(part).hasLineCount(1);
    }

    private JsonNode json() {
        return JsonMapper.shared().readTree(out);
    }

    @Test
    void restore_nothingElseSaid_writesTheNewestState() {
        assertThat(run("restore", "-o", output.toString(), replica.url())).isZero();
        assertThat(output).hasBinaryContent(replica.image(3));
        assertThat(out)
                .contains("TXID 0000000000000003 of 2026-01-01T00:00:03Z", "3 pages of 1024 bytes", "from 3 files")
                .hasLineCount(1);
        assertThat(err).isEmpty();
    }

    @Test
    void restore_txid_writesThatState() {
        assertThat(run("restore", "-o", output.toString(), "--txid", "2", replica.url()))
                .isZero();
        assertThat(output).hasBinaryContent(replica.image(2));
    }

    @Test
    void restore_timestamp_writesTheStateBeforeIt() {
        assertThat(run("restore", "-o", output.toString(), "--timestamp", "2026-01-01T01:00:02.5+01:00", replica.url()))
                .isZero();
        assertThat(output).hasBinaryContent(replica.image(2));
    }

    @Test
    void restore_json_printsTheResult() {
        assertThat(run("restore", "--json", "-o", output.toString(), replica.url()))
                .isZero();
        assertThat(json().get("txid").asString()).isEqualTo("0000000000000003");
        assertThat(json().get("timestamp").asString()).isEqualTo("2026-01-01T00:00:03Z");
        assertThat(json().get("database").asString()).isEqualTo(output.toString());
        assertThat(json().get("pages").asLong()).isEqualTo(3);
        assertThat(json().get("pageSize").asInt()).isEqualTo(1024);
        assertThat(json().get("fileCount").asInt()).isEqualTo(3);
    }

    @Test
    void restore_dryRun_printsThePlanAndWritesNothing() {
        assertThat(run("restore", "--dry-run", "-o", output.toString(), replica.url()))
                .isZero();
        assertThat(out)
                .contains("would restore TXID 0000000000000003 from 3 files")
                .hasLineCount(5);
        assertThat(output).doesNotExist();
        assertThat(run("restore", "--dry-run", "--json", "--txid", "2", replica.url()))
                .isZero();
        assertThat(json().get("txid").asString()).isEqualTo("0000000000000002");
        assertThat(json().get("files").size()).isEqualTo(2);
        assertThat(json().get("files").get(0).get("level").asInt()).isEqualTo(9);
    }

    @Test
    void restore_targetExists_needsForce() throws IOException {
        Files.writeString(output, "old");
        assertFails(1, "use --force", "restore", "-o", output.toString(), replica.url());
        assertFails(1, "is not an SQLite database", "restore", "-f", "-o", output.toString(), replica.url());
        assertThat(output).hasContent("old");
        Files.writeString(output, "SQLite format 3\0" + "old".repeat(100));
        assertThat(run("restore", "-f", "-o", output.toString(), replica.url())).isZero();
        assertThat(output).hasBinaryContent(replica.image(3));
    }

    @Test
    void restore_forceWithLeftovers_movesThemAside() throws IOException {
        Path wal = Files.writeString(temp.resolve("restored.db-wal"), "old");
        assertFails(1, "restored.db-wal", "restore", "-o", output.toString(), replica.url());
        assertThat(run("restore", "--force", "-o", output.toString(), replica.url()))
                .isZero();
        assertThat(out).contains("moved aside: " + wal + ".before-restore-");
        assertThat(wal).doesNotExist();
    }

    @Test
    void restore_onlyIfMissing_leavesTheDatabaseAlone() throws IOException {
        Files.writeString(output, "old");
        assertThat(run("restore", "--if-db-not-exists", "-o", output.toString(), replica.url()))
                .isZero();
        assertThat(output).hasContent("old");
        assertFails(1, "is a folder", "restore", "--if-db-not-exists", "-o", temp.toString(), replica.url());
    }

    @Test
    void restore_noBackup_failsUnlessThatIsFine() {
        String empty = temp.resolve("empty").toUri().toString();
        assertFails(1, "there is no backup", "restore", "-o", output.toString(), empty);
        assertThat(run("restore", "--if-replica-exists", "-o", output.toString(), empty))
                .isZero();
        assertThat(output).doesNotExist();
    }

    @Test
    void restore_integrityCheck_refusesGarbage() {
        assertFails(
                1,
                "SQLite finds the database damaged",
                "restore",
                "--integrity-check",
                "quick",
                "-o",
                output.toString(),
                replica.url());
        assertThat(output).doesNotExist();
    }

    @Test
    void restore_damagedFile_isNamedInOneLine() throws IOException {
        byte[] bytes = Files.readAllBytes(replica.file(0, 3));
        bytes[bytes.length - 1] ^= 1;
        Files.write(replica.file(0, 3), bytes);
        assertFails(1, "0000000000000003-0000000000000003.ltx", "restore", "-o", output.toString(), replica.url());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "nosuchcommand",
                "restore",
                "restore URL",
                "restore -o",
                "restore --nosuch -o OUT URL",
                "restore -o OUT gopher://host/path",
                "restore -o OUT no-scheme",
                "restore -o OUT --txid xyz URL",
                "restore -o OUT --txid 0 URL",
                "restore -o OUT --timestamp yesterday URL",
                "restore -o OUT --txid 1 --timestamp 2026-01-01T00:00:00Z URL",
                "restore -o OUT --integrity-check some URL",
                "restore -o OUT --parallelism 0 URL",
                "restore -o OUT --setting nosuch=1 URL",
                "restore -o OUT URL URL",
                "ltx",
                "restore --follow URL",
                "restore --follow --txid 1 -o OUT URL",
                "restore --follow --if-db-not-exists -o OUT URL",
                "restore --follow --follow-interval PT0S -o OUT URL",
                "restore --follow --follow-interval 1 -o OUT URL",
                "restore --follow-interval PT1S -o OUT URL",
                "ltx --level 10 URL",
                "ltx --level x URL",
                "status",
                "status --meta-path OUT URL",
                "replicate --once OUT gopher://x"
            })
    void anyCommand_wrongUsage_exitsWithTwoAndOneLine(String line) {
        String[] args = line.isEmpty()
                ? new String[0]
                : line.replace("OUT", output.toString())
                        .replace("URL", replica.url())
                        .split(" ", -1);
        assertFails(2, "--help", args);
        assertThat(output).doesNotExist();
    }

    @Test
    void help_eachCommand_isPrinted() {
        assertThat(run("--help")).isZero();
        assertThat(out).contains("restore", "ltx");
        assertThat(run("restore", "--help")).isZero();
        assertThat(out).contains("--txid", "--force", "REPLICA_URL");
        assertThat(run("ltx", "--help")).isZero();
    }

    @Test
    void ltx_replica_listsAllLevels() {
        assertThat(run("ltx", replica.url())).isZero();
        assertThat(out.lines().toList())
                .hasSize(4)
                .satisfies(lines -> assertThat(lines.get(1))
                        .matches("0 +0000000000000002  0000000000000002 +\\d+  2026-01-01T00:00:02Z"))
                .satisfies(lines -> assertThat(lines.get(3)).startsWith("9 "));
    }

    @Test
    void ltx_json_printsAnArray() throws IOException {
        assertThat(run("ltx", "--json", "--level", "9", replica.url())).isZero();
        assertThat(json().size()).isEqualTo(1);
        JsonNode file = json().get(0);
        assertThat(file.get("level").asInt()).isEqualTo(9);
        assertThat(file.get("minTxid").asString()).isEqualTo("0000000000000001");
        assertThat(file.get("maxTxid").asString()).isEqualTo("0000000000000001");
        assertThat(file.get("bytes").asLong()).isEqualTo(Files.size(replica.file(9, 1)));
        assertThat(file.get("timestamp").asString()).isEqualTo("2026-01-01T00:00:01Z");
    }

    @Test
    void ltx_emptyReplica_listsNothing() {
        assertThat(run("ltx", "--json", temp.resolve("empty").toUri().toString()))
                .isZero();
        assertThat(json().size()).isZero();
    }

    @Test
    void replicate_nameWithControlCharacters_isRefusedInWordsOfTheCommandLine() {
        assertFails(
                1,
                "the database file is 'tab?x.db', but must be without control characters",
                "replicate",
                "--once",
                temp.resolve("tab\tx.db").toString(),
                replica.url());
    }

    /** A lost database must be restorable under its own name, which the temporary names beside it contain. */
    @ParameterizedTest
    @ValueSource(strings = {"a", "\u0436"})
    void restore_longName_isRestored(String letter) throws IOException {
        String name = letter.repeat(240 / letter.getBytes(java.nio.charset.StandardCharsets.UTF_8).length) + ".db";
        output = temp.resolve(name);
        assertThat(run("restore", "-o", output.toString(), replica.url())).isZero();
        assertThat(output).hasBinaryContent(replica.image(3));
        assertThat(temp.toFile().list()).containsExactlyInAnyOrder("replica", name);
        Files.delete(output);
        assertThat(run("restore", "--json", "-o", output.toString(), replica.url()))
                .isZero();
        assertThat(json().get("bytes").asLong()).isPositive();
        assertThat(json().get("fileCount").asInt()).isEqualTo(3);
    }

    @Test
    void status_replica_showsLevelsAndRange() {
        assertThat(run("status", replica.url())).isZero();
        assertThat(out)
                .contains("newest      TXID 0000000000000003")
                .contains("restorable  TXID 0000000000000001 of 2026-01-01T00:00:01Z")
                .contains("to          TXID 0000000000000003 of 2026-01-01T00:00:03Z")
                .contains("level 0     2 files", "level 9     1 file,")
                .doesNotContain("database");
        assertThat(run("status", "--json", replica.url())).isZero();
        JsonNode status = json().get("replica");
        assertThat(status.get("newestTxid").asString()).isEqualTo("0000000000000003");
        assertThat(status.get("earliest").get("txid").asString()).isEqualTo("0000000000000001");
        assertThat(status.get("latest").get("timestamp").asString()).isEqualTo("2026-01-01T00:00:03Z");
        assertThat(status.get("levels").get(0).get("minTxid").asString()).isEqualTo("0000000000000002");
        assertThat(json().get("local").isNull()).isTrue();
    }

    @Test
    void status_emptyReplicaAndUnknownDatabase_saysSo() {
        String empty = temp.resolve("empty").toUri().toString();
        assertThat(run("status", "--db", output.toString(), empty)).isZero();
        assertThat(out).contains("does not exist", "(none)", "there is no backup");
        assertThat(run("status", "--json", "--db", output.toString())).isZero();
        assertThat(json().get("local").get("captured").isNull()).isTrue();
        assertThat(json().get("replica").isNull()).isTrue();
        assertThat(temp.resolve(".restored.db-litestream")).doesNotExist();
    }

    @Test
    void validate_emptyReplica_isAnError() {
        String empty = temp.resolve("empty").toUri().toString();
        assertFails(1, "there is no backup", "validate", empty);
        assertThat(run("validate", "--json", empty)).isEqualTo(1);
        assertThat(json().get("sound").asBoolean()).isFalse();
    }

    /** Also where the arguments are wrong, and on each path exactly one object; the error's line is on standard error, too. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "restore --json -o OUT",
                "restore --json -o OUT EMPTY",
                "restore --json -o OUT --txid 99 REPLICA",
                "restore --json -o OUT --txid x REPLICA",
                "restore --json -o OUT --no-such-option REPLICA",
                "restore --json --follow --txid 1 -o OUT REPLICA",
                "restore --json -o - REPLICA",
                "restore --json -o OUT gopher://host",
                "ltx --json --level 17 REPLICA",
                "ltx --json",
                "status --json",
                "validate --json gopher://host",
                "--json"
            })
    void jsonOfAFailure_isJson(String arguments) {
        String empty = temp.resolve("empty").toUri().toString();
        int code = run(arguments
                .replace("OUT", output.toString())
                .replace("EMPTY", empty)
                .replace("REPLICA", replica.url())
                .split(" ", -1));
        assertThat(code).isPositive();
        assertThat(json().get("error").asString()).isNotEmpty();
        assertThat(json().get("exitCode").asInt()).isEqualTo(code);
        assertThat(err)
                .isEqualToIgnoringNewLines("error: " + json().get("error").asString());
    }

    /** Picocli repeats arguments that it cannot use. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "restore -o OUT REPLICA s3://bucket/p?secret-access-key=CANARY",
                "restore -o OUT REPLICA secret-access-key=CANARY",
                "restore -o OUT --seting secret-access-key=CANARY REPLICA",
                "restore -o OUT --seting=secret-access-key=CANARY REPLICA",
                "ltx --setting secret-access-key:CANARY REPLICA",
                "ltx --setting=CANARY REPLICA",
                "ltx --json --setting CANARY REPLICA",
                "lxt nats://user:CANARY@host/bucket",
                "replicate OUT nats://user:CANARY@host:port/bucket",
                "ltx --level s3://a:CANARY@host REPLICA",
                "status --db OUT s3://bucket/p&secret-access-key=CANARY",
                "status --db nats://user:CANARY@host/bucket",
                "status --db=nats://user:CANARY@host/bucket",
                "reset nats://user:CANARY@host/bucket",
                "replicate nats://user:CANARY@host/bucket OUT",
                "restore -o nats://user:CANARY@host/bucket REPLICA",
                "restore -o OUT --txid s3://user:CANARY@bucket REPLICA",
                "restore -o OUT --txid=s3://user:CANARY@bucket REPLICA",
                "restore -o OUT --timestamp s3://user:CANARY@bucket REPLICA",
                "query --as-of s3://user:CANARY@bucket REPLICA",
                "ltx CANARY"
            })
    void secretInAMisplacedArgument_isNotRepeated(String arguments) {
        int code = run(arguments
                .replace("OUT", output.toString())
                .replace("REPLICA", replica.url())
                .split(" ", -1));
        assertThat(code).isEqualTo(2);
        assertThat(err).startsWith("error: ").hasLineCount(1);
        assertThat(out + err).doesNotContain("CANARY");
    }

    @Test
    void restore_jsonAndNothingToDo_isJson() {
        String empty = temp.resolve("empty").toUri().toString();
        assertThat(run("restore", "--json", "--if-replica-exists", "-o", output.toString(), empty))
                .isZero();
        assertThat(json().get("restored").asBoolean()).isFalse();
        assertThat(json().get("reason").asString()).contains("no backup");
    }

    @Test
    void restore_toStandardOutput_writesTheDatabaseAlone() {
        java.io.PrintStream before = System.out;
        java.io.ByteArrayOutputStream written = new java.io.ByteArrayOutputStream();
        System.setOut(new java.io.PrintStream(written, true, java.nio.charset.StandardCharsets.UTF_8));
        try {
            assertThat(run("restore", "-o", "-", replica.url())).isZero();
        } finally {
            System.setOut(before);
        }
        assertThat(written.toByteArray()).isEqualTo(replica.image(3));
        assertThat(out).isEmpty();
        assertThat(err).contains("restored TXID 0000000000000003");
    }

    @Test
    void unknownScheme_isExplainedWithoutJavaWords() {
        assertFails(2, "correct the URL", "ltx", "gopher://x");
        assertThat(err).doesNotContain("META-INF");
    }

    @Test
    void helpVersionAndSuggestions_areThere() {
        assertThat(run("version")).isZero();
        assertThat(out).startsWith("litestream-cli ");
        assertThat(run("help", "restore")).isZero();
        assertThat(out).contains("--timestamp");
        assertThat(run("generate-completion")).isZero();
        assertThat(out).contains("complete");
        assertFails(2, "did you mean", "restor");
        assertFails(2, "--integrity-check", "restore", "--integrity-chek", "full", "-o", "x", replica.url());
    }

    @Test
    void validate_soundReplica_saysSo() {
        assertThat(run("validate", "--deep", replica.url())).isZero();
        assertThat(out)
                .startsWith("sound: 3 files")
                .contains("TXID 0000000000000003", "all content read")
                .hasLineCount(1);
    }

    @Test
    void validate_missingFile_isAProblem() throws IOException {
        Files.delete(replica.file(0, 2));
        assertThat(run("validate", replica.url())).isEqualTo(1);
        assertThat(out).contains("problem: ", "not sound").contains("take a snapshot");
        assertThat(run("validate", "--json", replica.url())).isEqualTo(1);
        assertThat(json().get("sound").asBoolean()).isFalse();
        assertThat(json().get("problems").get(0).get("kind").asString()).isEqualTo("UNREACHABLE");
    }

    @Test
    void validate_damagedFile_isFoundByReadingIt() throws IOException {
        byte[] content = Files.readAllBytes(replica.file(0, 3));
        content[content.length - 1] ^= 1;
        Files.write(replica.file(0, 3), content);
        assertThat(run("validate", replica.url())).isZero();
        assertThat(run("validate", "--deep", replica.url())).isEqualTo(1);
        assertThat(out).contains("0000000000000003-0000000000000003.ltx", "file checksum");
    }
}
