package org.litestream4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.readreplica.ReadReplica;
import org.litestream4j.readreplica.SqlReplica;
import org.litestream4j.restore.RestoreTarget;
import picocli.CommandLine;

class QueryCommandTest {

    @TempDir
    Path folder;

    private SqlReplica replica = new SqlReplica(Path.of("replica"));
    private String out = "";
    private String err = "";

    @BeforeEach
    void replicates() throws Exception {
        replica = new SqlReplica(folder.resolve("replica"));
        try (Connection primary = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("a.db"));
                Statement statement = primary.createStatement()) {
            statement.execute("PRAGMA journal_mode=WAL");
            statement.execute("CREATE TABLE note(id INTEGER PRIMARY KEY, text, data)");
            statement.execute("INSERT INTO note VALUES (1, 'milk, \"fresh\"', x'00ff'), (2, NULL, 1.5)");
            replica.add(primary);
            statement.execute("DELETE FROM note WHERE id = 2");
            replica.add(primary);
        }
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

    @Test
    void query_printsATable() {
        assertThat(run("query", replica.url(), "SELECT id, text, data FROM note"))
                .isZero();
        assertThat(out.lines())
                .containsExactly("id  text           data", "--  -------------  ----", "1   milk, \"fresh\"  00ff");
    }

    @Test
    void severalStatements_allRun() {
        assertThat(run("query", "--csv", replica.url(), "SELECT ';' AS a; -- one; not two\nSELECT 2 AS b /* ; */"))
                .isZero();
        assertThat(out).isEqualTo("a\r\n;\r\nb\r\n2\r\n");
    }

    @Test
    void outputThatCannotBeWritten_isAnError() {
        StringWriter errText = new StringWriter();
        CommandLine commandLine = LitestreamCli.commandLine()
                .setOut(new PrintWriter(new OutputStream() {
                    @Override
                    public void write(int b) throws IOException {
                        throw new IOException("no space left");
                    }
                }))
                .setErr(new PrintWriter(errText));
        assertThat(commandLine.execute("query", "--csv", replica.url(), "SELECT * FROM note"))
                .isEqualTo(1);
        assertThat(errText.toString()).contains("standard output cannot be written");
    }

    @Test
    void asOf_queriesAnEarlierState() {
        assertThat(run("query", "--as-of", "2026-01-01T00:00:01.5Z", replica.url(), "SELECT count(*) AS n FROM note"))
                .isZero();
        assertThat(out.lines()).containsExactly("n", "-", "2");
        assertThat(run("query", "--txid", "1", replica.url(), "SELECT count(*) AS n FROM note"))
                .isZero();
        assertThat(out.lines()).containsExactly("n", "-", "2");
    }

    @Test
    void csv_quotesWhatNeedsIt() {
        assertThat(run("query", "--csv", "--txid", "1", replica.url(), "SELECT * FROM note"))
                .isZero();
        assertThat(out).isEqualTo("id,text,data\r\n1,\"milk, \"\"fresh\"\"\",00ff\r\n2,,1.5\r\n");
    }

    @Test
    void json_isAnArrayOfObjects() {
        assertThat(run("query", "--json", "--txid", "1", replica.url(), "SELECT *, id FROM note"))
                .isZero();
        assertThat(out)
                .isEqualToIgnoringNewLines(
                        """
                        [
                        {"id":1,"text":"milk, \\"fresh\\"","data":"AP8=","id_2":1},
                        {"id":2,"text":null,"data":1.5,"id_2":2}
                        ]
                        """);
        assertThat(run("query", "--json", replica.url(), "SELECT * FROM note WHERE 0"))
                .isZero();
        assertThat(out).isEqualToIgnoringNewLines("[]\n");
    }

    @Test
    void errors_areOneLine() {
        assertThat(run("query", replica.url(), "SELECT x FROM note")).isEqualTo(1);
        assertThat(err).startsWith("error: ").contains("no such column: x").hasLineCount(1);
        assertThat(run("query", replica.url(), "DELETE FROM note")).isEqualTo(1);
        assertThat(err).contains("readonly");
        assertThat(run("query", "--txid", "9", replica.url(), "SELECT 1")).isEqualTo(1);
        assertThat(err).startsWith("error: ").hasLineCount(1);
        assertThat(run("query", "--csv", "--json", replica.url(), "SELECT 1")).isEqualTo(2);
        assertThat(run("query", "--as-of", "soon", replica.url(), "SELECT 1")).isEqualTo(2);
        assertThat(run("query", "--as-of", "1 hour ago", "--txid", "1", replica.url(), "SELECT 1"))
                .isEqualTo(2);
    }

    private int prompt(boolean isTerminal, String input) throws Exception {
        StringWriter outText = new StringWriter();
        StringWriter errText = new StringWriter();
        try (ReadReplica opened = ReadReplica.open(replica.url())) {
            PrintWriter writer = new PrintWriter(outText);
            QueryPrompt prompt = new QueryPrompt(
                    new BufferedReader(new StringReader(input)), writer, new PrintWriter(errText), isTerminal);
            return prompt.run(opened, RestoreTarget.latest(), QueryOutput.csv(writer));
        } finally {
            out = outText.toString().replace("\r", "");
            err = errText.toString();
        }
    }

    @Test
    void prompt_runsStatementsAndCommands() throws Exception {
        assertThat(
                        prompt(
                                true,
                                """
                        SELECT count(*)
                          FROM note;
                        SELECT x;
                        .as-of 2026-01-01T00:00:01.5Z
                        SELECT count(*) AS earlier FROM note;
                        .as-of yesterday
                        .as-of
                        .tables
                        .help
                        SELECT 'last' AS line
                        """))
                .isZero();
        assertThat(out)
                .contains("TXID 0000000000000002 of 2026-01-01T00:00:02Z")
                .contains("...> count(*)\n1\n")
                .contains("earlier\n2\n")
                .contains("name\nnote\n")
                .contains(".quit")
                .endsWith("line\nlast\n");
        assertThat(err.lines()).hasSize(2).anyMatch(line -> line.contains("no such column: x"));
        assertThat(prompt(true, ".quit\nSELECT 1;\n")).isZero();
        assertThat(out).doesNotContain("1\n1\n");
    }

    @Test
    void statementsFromAFile_endWithTheFirstError() {
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> prompt(false, "SELECT 1;\nSELECT x;\nSELECT 2;\n"))
                .hasMessageContaining("no such column: x");
        assertThat(out).isEqualTo("1\n1\n");
    }
}
