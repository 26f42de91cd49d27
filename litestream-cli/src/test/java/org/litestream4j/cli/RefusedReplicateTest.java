package org.litestream4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What {@code replicate --once} cannot do, however long it waits, ends it; a test that waits for the default fails. */
@Timeout(60)
class RefusedReplicateTest {

    @TempDir
    Path temp;

    private Path database;
    private String err = "";

    @BeforeEach
    void makeDatabase() throws Exception {
        database = temp.resolve("app.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement()) {
            statement.execute("create table t(x)");
        }
    }

    private int run(String... args) {
        StringWriter errText = new StringWriter();
        int code = LitestreamCli.commandLine()
                .setOut(new PrintWriter(new StringWriter()))
                .setErr(new PrintWriter(errText))
                .execute(args);
        err = errText.toString();
        return code;
    }

    private int replicate(String replica) {
        return run("replicate", "--once", database.toString(), replica);
    }

    @Test
    void fileWithTwoNames_isRefusedImmediately() throws Exception {
        Files.createLink(temp.resolve("other.db"), database);
        assertThat(replicate("file://" + temp.resolve("replica"))).isEqualTo(1);
        assertThat(err).contains("2 names (hard links)");
    }

    /** As on a read-only file system, which a test cannot mount. */
    @Test
    void localStateThatCannotBeCreated_isRefusedImmediately_withoutNamesOfClasses() throws Exception {
        Files.writeString(temp.resolve(".app.db-litestream"), "a file in the place of the folder");
        assertThat(replicate("file://" + temp.resolve("replica"))).isEqualTo(1);
        assertThat(err).contains(".app.db-litestream").doesNotContain("java.nio", "Exception");
    }

    @Test
    void storeThatNeverAnswers_endsTheCommandInTime() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            long start = System.nanoTime();
            int code = run(
                    "replicate",
                    "--once",
                    "--timeout",
                    "1s",
                    database.toString(),
                    "s3://bucket/app?region=eu-central-1&endpoint=http://127.0.0.1:" + silent.getLocalPort()
                            + "&access-key-id=k&secret-access-key=s");
            assertThat(code).isEqualTo(1);
            assertThat(err).contains("no answer from the replica within 1000 ms");
            assertThat(System.nanoTime() - start).isLessThan(15_000_000_000L);
        }
    }
}
