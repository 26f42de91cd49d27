package org.litestream4j.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two processes of the jar: one replicates what this one writes, the other follows. */
class FollowIT {

    @TempDir
    Path temp;

    private Path database;
    private Path standby;
    private String replica;
    private Connection connection;
    private final List<Process> processes = new ArrayList<>();

    @BeforeEach
    void makeDatabase() throws Exception {
        database = temp.resolve("app.db");
        standby = temp.resolve("standby.db");
        replica = "file://" + temp.resolve("replica");
        connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        execute("pragma journal_mode=wal");
        execute("create table t(x)");
    }

    @AfterEach
    void close() throws SQLException {
        processes.forEach(Process::destroyForcibly);
        connection.close();
    }

    @Test
    void follow_killedAndStarted_keepsTheStandbyUpToDate() throws Exception {
        start("replicate", database.toString(), replica);
        Process follower = null;
        for (int i = 1; i <= 4; i++) {
            execute("insert into t values (" + i + ")");
            if (i == 1) {
                awaitRows(replicaRestored(), 1);
            }
            if (i != 3) { // in the third round the one that runs goes on
                if (follower != null) {
                    follower.destroyForcibly().waitFor();
                }
                follower = start(
                        "restore",
                        "--follow",
                        "--follow-interval",
                        "PT0.1S",
                        "--json",
                        "-o",
                        standby.toString(),
                        replica);
            }
            awaitRows(standby, i);
        }
        follower.destroy(); // SIGTERM
        assertThat(follower.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(follower.exitValue()).isZero();
        assertThat(read(follower, "out").lines().toList())
                .isNotEmpty()
                .allSatisfy(line -> assertThat(line).startsWith("{\"step\":\"").contains("\"txid\":\"0000"));
        assertThat(read(follower, "err")).isEmpty();
        assertThat(Files.readString(Path.of(standby + "-txid"), UTF_8)).matches("[0-9a-f]{16}\n");
    }

    @Test
    void follow_somebodyElsesDatabase_isLeftAlone() throws Exception {
        assertThat(end(start("replicate", "--once", database.toString(), replica)))
                .isZero();
        Process follower = start("restore", "--follow", "-o", database.toString(), replica);
        assertThat(end(follower)).isEqualTo(1);
        assertThat(read(follower, "err"))
                .startsWith("error: ")
                .contains("it is not a standby")
                .hasLineCount(1);
        execute("insert into t values (1)");
    }

    private Path replicaRestored() throws IOException {
        return Files.createTempDirectory(temp, "restored").resolve("app.db");
    }

    /** Restores into a file that is not the standby, until it can be; reads the standby. */
    private void awaitRows(Path file, int rows) {
        await().atMost(60, TimeUnit.SECONDS).ignoreExceptions().until(() -> {
            if (!file.equals(standby)) {
                assertThat(end(start("restore", "--force", "-o", file.toString(), replica)))
                        .isZero();
            }
            return rows(file) == rows;
        });
    }

    private static int rows(Path file) throws SQLException {
        try (Connection reader = DriverManager.getConnection("jdbc:sqlite:" + file);
                Statement statement = reader.createStatement();
                ResultSet row = statement.executeQuery("select count(*) from t")) {
            row.next();
            return row.getInt(1);
        }
    }

    private Process start(String... args) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                System.getProperty("cli.jar")));
        command.addAll(Arrays.asList(args));
        Process process = new ProcessBuilder(command)
                .redirectOutput(temp.resolve("out" + processes.size()).toFile())
                .redirectError(temp.resolve("err" + processes.size()).toFile())
                .start();
        processes.add(process);
        return process;
    }

    private String read(Process process, String what) throws IOException {
        return Files.readString(temp.resolve(what + processes.indexOf(process)), UTF_8);
    }

    private static int end(Process process) throws InterruptedException {
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
