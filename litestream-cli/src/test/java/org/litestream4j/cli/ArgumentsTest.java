package org.litestream4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.TypeConversionException;

/** Arguments as scripts produce them: empty variables, durations of the application's settings, misspelled options. */
class ArgumentsTest {

    @TempDir
    Path temp;

    private String err = "";

    private int run(String... args) {
        StringWriter errText = new StringWriter();
        int code = LitestreamCli.execute(
                LitestreamCli.commandLine()
                        .setOut(new PrintWriter(new StringWriter()))
                        .setErr(new PrintWriter(errText)),
                args);
        err = errText.toString();
        return code;
    }

    @ParameterizedTest
    @ValueSource(strings = {"restore -o @ file:r", "replicate @ file:r", "status --db @", "reset @"})
    void emptyPath_isNotTheWorkingDirectory(String command) {
        String[] args = command.split(" ");
        for (int i = 0; i < args.length; i++) {
            args[i] = args[i].equals("@") ? "" : args[i];
        }
        assertThat(run(args)).isEqualTo(2);
        assertThat(err).contains("the argument is empty");
    }

    @ParameterizedTest
    @CsvSource({"30s, PT30S", "5m, PT5M", "250ms, PT0.25S", "12h, PT12H", "7d, P7D", "PT1M, PT1M"})
    void durations_areThoseOfTheSettings_andOfIso8601(String text, Duration expected) {
        assertThat(new Durations().convert(text)).isEqualTo(expected);
    }

    @Test
    void noDuration_isExplained() {
        assertThatThrownBy(() -> new Durations().convert("soon"))
                .isInstanceOf(TypeConversionException.class)
                .hasMessage("'soon' is no duration; write for example 30s, 5m, 7d or PT30S");
    }

    @Test
    void misspelledOption_isNamedAlone() {
        assertThat(run("restore", "--outptu", "x.db", "file:/replica")).isEqualTo(2);
        assertThat(err)
                .isEqualTo("error: there is no option '--outptu'; did you mean --output?;"
                        + " see litestream-cli restore --help" + System.lineSeparator());
    }

    @Test
    void linksThatFormALoop_areExplained() throws Exception {
        Files.createSymbolicLink(temp.resolve("a.db"), Path.of("b.db"));
        Files.createSymbolicLink(temp.resolve("b.db"), Path.of("a.db"));
        for (String[] args : new String[][] {
            {"replicate", "--once", temp.resolve("a.db").toString(), "file://" + temp.resolve("r")},
            {
                "restore",
                "-o",
                temp.resolve("a.db").toString(),
                TestReplica.create(temp.resolve("replica")).url()
            }
        }) {
            assertThat(run(args)).isEqualTo(1);
            assertThat(err).contains("symbolic links form a loop").doesNotContain("Exception");
        }
    }

    /** As of a full disk, or a pipe whose reader has ended. */
    @Test
    void resultThatCannotBeWritten_isAFailure() {
        String replica = TestReplica.create(temp.resolve("replica")).url();
        StringWriter errText = new StringWriter();
        CommandLine commandLine = LitestreamCli.commandLine()
                .setOut(CommandOutput.of(
                        new PrintStream(new OutputStream() {
                            @Override
                            public void write(int b) throws IOException {
                                throw new IOException("No space left on device");
                            }
                        }),
                        false))
                .setErr(new PrintWriter(errText));
        assertThat(LitestreamCli.execute(commandLine, "ltx", replica)).isEqualTo(1);
        assertThat(errText.toString()).isEqualTo("error: " + CommandOutput.UNWRITABLE + System.lineSeparator());
    }

    @Test
    void databaseThatStandardOutputLoses_isAFailure() {
        PrintStream before = System.out;
        try (PrintStream full = new PrintStream(new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("No space left on device");
            }
        })) {
            System.setOut(full);
            assertThat(run(
                            "restore",
                            "-o",
                            "-",
                            TestReplica.create(temp.resolve("replica")).url()))
                    .isEqualTo(1);
        } finally {
            System.setOut(before);
        }
        assertThat(err).startsWith("error: the database is incomplete: ").hasLineCount(1);
    }
}
