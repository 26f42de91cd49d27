package org.litestream4j.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.litestream4j.replica.nats.NatsServer;

/** Replicates with the jar what this process writes with plain SQLite. */
class ReplicateIT {

    @TempDir
    Path temp;

    private Path database;
    private String replica;
    private Connection connection;

    @BeforeEach
    void makeDatabase() throws SQLException {
        database = temp.resolve("app.db");
        replica = "file://" + temp.resolve("replica");
        connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        execute("pragma journal_mode=wal");
        execute("create table t(x)");
    }

    @AfterEach
    void close() throws SQLException {
        connection.close();
    }

    @Test
    void once_capturesUploadsAndExits() throws Exception {
        execute("insert into t values (1)");
        assertThat(end(start("replicate", "--once", database.toString(), replica)))
                .isZero();
        assertThat(output()).startsWith("replicated " + database).contains("TXID");
        execute("insert into t values (2)");
        assertThat(end(start("replicate", "--once", database.toString(), replica)))
                .isZero();
        assertThat(restoredRows()).isEqualTo(2);
    }

    @Test
    void untilStopped_followsForeignCommits() throws Exception {
        Process process = start("replicate", database.toString(), replica);
        for (int i = 1; i <= 3; i++) {
            execute("insert into t values (" + i + ")");
            int rows = i;
            await().atMost(30, TimeUnit.SECONDS).until(() -> restoredRows() == rows);
        }
        execute("insert into t values (4)");
        process.destroy(); // SIGTERM
        assertThat(end(process)).isZero();
        assertThat(restoredRows()).isEqualTo(4);
    }

    @Test
    void reset_dryRunThenForReal_leavesDatabaseAlone() throws Exception {
        assertThat(end(start("replicate", "--once", database.toString(), replica)))
                .isZero();
        Path position = temp.resolve(".app.db-litestream/position");
        assertThat(end(start("reset", "--dry-run", database.toString()))).isZero();
        assertThat(output()).contains("would delete " + position);
        assertThat(position).exists();
        assertThat(end(start("reset", database.toString()))).isZero();
        assertThat(position).doesNotExist();
        assertThat(database).exists();
    }

    @Test
    void status_tellsCapturedReplicatedAndWhetherAProcessRuns() throws Exception {
        Process process = start("replicate", database.toString(), replica);
        execute("insert into t values (1)");
        await().atMost(30, TimeUnit.SECONDS).until(() -> restoredRows() == 1);
        assertThat(status()).contains("captured    TXID 000000000000000", "process     running");
        process.destroy();
        assertThat(end(process)).isZero();
        String stopped = status();
        assertThat(stopped).contains("process     not running", "level 9 ");
        assertThat(stopped.replaceAll("(?s).*captured +(TXID \\S+).*", "$1"))
                .isEqualTo(stopped.replaceAll("(?s).*newest +(TXID \\S+).*", "$1"));
    }

    /** Beside the running process, whose output is kept. */
    private String status() {
        java.io.StringWriter out = new java.io.StringWriter();
        assertThat(LitestreamCli.commandLine()
                        .setOut(new java.io.PrintWriter(out))
                        .execute("status", "--db", database.toString(), replica))
                .isZero();
        return out.toString();
    }

    @Test
    void missingDatabase_isRestoredIfAsked() throws Exception {
        execute("insert into t values (1)");
        assertThat(end(start("replicate", "--once", database.toString(), replica)))
                .isZero();
        connection.close();
        Files.delete(database);
        assertThat(end(start("replicate", "--once", "--restore-if-db-not-exists", database.toString(), replica)))
                .isZero();
        assertThat(output()).startsWith("restored " + database);
        connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        execute("insert into t values (2)");
        assertThat(end(start("replicate", "--once", database.toString(), replica)))
                .isZero();
        assertThat(restoredRows()).isEqualTo(2);
    }

    @Test
    void missingDatabase_isWaitedFor() throws Exception {
        Path later = temp.resolve("later.db");
        String other = "file://" + temp.resolve("other");
        Process process = start("replicate", later.toString(), other);
        await().atMost(30, TimeUnit.SECONDS).until(() -> output().startsWith("replicating"));
        try (Connection writer = DriverManager.getConnection("jdbc:sqlite:" + later);
                Statement statement = writer.createStatement()) {
            statement.execute("pragma journal_mode=wal");
            statement.execute("create table t(x)");
            statement.execute("insert into t values (1)");
            await().atMost(30, TimeUnit.SECONDS).until(() -> restoredRows(other) == 1);
        }
        process.destroy();
        assertThat(end(process)).isZero();
    }

    @Test
    void forcedSnapshotAndRetention_mergeWhatIsThere() throws Exception {
        Process process = start("replicate", database.toString(), replica);
        for (int i = 1; i <= 3; i++) {
            execute("insert into t values (" + i + ")");
            int rows = i;
            await().atMost(30, TimeUnit.SECONDS).until(() -> restoredRows() == rows);
        }
        process.destroy();
        assertThat(end(process)).isZero();
        assertThat(files(9)).hasSize(1);
        assertThat(end(start(
                        "replicate",
                        "--once",
                        "--force-snapshot",
                        "--enforce-retention",
                        database.toString(),
                        replica)))
                .isZero();
        assertThat(output()).contains("snapshot at TXID");
        assertThat(files(9)).hasSize(2);
        assertThat(newest(1))
                .as("the windows of 30 s may have merged some before")
                .isEqualTo(newest(0));
        assertThat(restoredRows()).isEqualTo(3);
    }

    @Test
    void exec_endsWithTheCommandsExitCodeAfterItsCommitsAreReplicated() throws Exception {
        Path go = temp.resolve("go");
        String command = "echo up; while [ ! -e " + go + " ]; do sleep 0.05; done; exit 7";
        Process process = start("replicate", "--exec", command, database.toString(), replica);
        await().atMost(30, TimeUnit.SECONDS).until(() -> output().contains("up\n"));
        execute("insert into t values (1)");
        Files.createFile(go);
        assertThat(end(process)).isEqualTo(7);
        assertThat(restoredRows()).isEqualTo(1);
    }

    @Test
    void exec_isToldToEndAndMayCommitALastTime() throws Exception {
        Path told = temp.resolve("told");
        Path go = temp.resolve("go");
        String command = "trap 'touch " + told + "; while [ ! -e " + go + " ]; do sleep 0.05; done; exit 3' TERM;"
                + " echo up; while :; do sleep 0.1; done";
        Process process = start("replicate", "--exec", command, database.toString(), replica);
        await().atMost(30, TimeUnit.SECONDS).until(() -> output().contains("up\n"));
        process.destroy();
        await().atMost(30, TimeUnit.SECONDS).until(() -> Files.exists(told));
        execute("insert into t values (1)");
        Files.createFile(go);
        assertThat(end(process)).isEqualTo(3);
        assertThat(restoredRows()).isEqualTo(1);
    }

    /** The forms in which people start their programs; @ is the program, which takes its time to end. */
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "exec @; 3",
                "@; 3",
                "cd / && @ && echo never; 3",
                "@ & wait $!; 3",
                "sh start.sh; 3",
                "sh -c 'sh start.sh' && echo never; 3",
                "trap 'kill -TERM $pid_ wait $pid_ exit $?' TERM_ @ & pid=$!_ wait $pid; 3",
                "@ &; 0",
                "(@ &) _ echo started; 0",
                "nohup @ > /dev/null 2>&1 < /dev/null & exit 5; 5",
            })
    void exec_anyFormOfStart_waitsForTheProgramAndItsLastCommits(String form, int exitCode) throws Exception {
        Path told = temp.resolve("told");
        Path go = temp.resolve("go");
        Path up = temp.resolve("up");
        Path program = executable(
                "program",
                "trap 'touch " + told + "; while [ ! -e " + go + " ]; do sleep 0.05; done; exit 3' TERM\n" + "touch "
                        + up + "\nwhile :; do sleep 0.1; done\n");
        Path start = executable("start.sh", program + "\nexit $?\n");
        String command = form.replace('_', ';').replace("@", program.toString()).replace("start.sh", start.toString());
        Process process = start("replicate", "--exec", command, database.toString(), replica);
        boolean shellEnds = exitCode != 3; // and leaves the program running in the background
        await().atMost(30, TimeUnit.SECONDS)
                .until(() -> Files.exists(up) && process.children().findAny().isEmpty() == shellEnds);
        assertThat(process.isAlive()).as("the program runs").isTrue();
        process.destroy();
        await().atMost(30, TimeUnit.SECONDS).until(() -> Files.exists(told));
        execute("insert into t values (1)");
        Files.createFile(go);
        assertThat(end(process)).isEqualTo(exitCode);
        assertThat(restoredRows()).isEqualTo(1);
    }

    private Path executable(String name, String text) throws IOException {
        Path file = Files.writeString(temp.resolve(name), "#!/bin/sh\n" + text);
        assertThat(file.toFile().setExecutable(true)).isTrue();
        return file;
    }

    /** Orphans end as zombies unless the first process waits for them. */
    @Test
    void exec_asTheFirstProcessOfAContainer_waitsForOrphans() throws Exception {
        Path unshare = Path.of("/usr/bin/unshare");
        assumeTrue(
                Files.isExecutable(unshare) && "root".equals(System.getProperty("user.name")),
                "needs root and unshare");
        Path seen = temp.resolve("seen");
        String command = "for i in 1 2 3 4 5; do (sleep 0.1 &); done; sleep 3; ps -eo stat= > " + seen + "; exit 4";
        List<String> all = new ArrayList<>(List.of(unshare.toString(), "--fork", "--pid", "--mount-proc"));
        all.addAll(command("replicate", "--exec", command, database.toString(), replica));
        Process process = new ProcessBuilder(all)
                .redirectErrorStream(true)
                .redirectOutput(temp.resolve("out.txt").toFile())
                .start();
        assertThat(end(process)).as(output()).isEqualTo(4);
        assertThat(Files.readAllLines(seen)).isNotEmpty().noneMatch(state -> state.startsWith("Z"));
    }

    /** The store is gone when it is told to end: what was committed is not there, and that is an error. */
    @Test
    void untilStopped_storeIsDown_failsWithTheErrorLine() throws Exception {
        String url = "s3://bucket/app?region=us-east-1&force-path-style=true&endpoint=http://127.0.0.1:"
                + NatsServer.freePort();
        for (int round = 0; round < 3; round++) {
            Process process = start("replicate", "--timeout", "PT1S", database.toString(), url);
            await().atMost(30, TimeUnit.SECONDS).until(() -> output().contains("replicating"));
            execute("insert into t values (1)");
            process.destroy();
            assertThat(end(process)).isEqualTo(1);
            List<String> lines = Files.readAllLines(temp.resolve("err.txt"));
            assertThat(lines).allMatch(line -> line.startsWith("warning: ") || line.startsWith("error: "));
            assertThat(lines).anyMatch(line -> line.startsWith("error: "));
        }
    }

    /** As where /tmp is mounted noexec. */
    @Test
    void nativeLibraryThatCannotBeUnpacked_isOneLineThatNamesTheSettings() throws Exception {
        assertThat(end(start("replicate", "--once", database.toString(), replica)))
                .isZero();
        for (String[] arguments : new String[][] {
            {"restore", "--integrity-check", "full", "-o", temp.resolve("r.db").toString(), replica},
            {"replicate", "--once", database.toString(), replica}
        }) {
            List<String> command = command(arguments);
            command.add(1, "-Dorg.sqlite.tmpdir=/proc/none");
            Process process = new ProcessBuilder(command)
                    .redirectError(temp.resolve("err.txt").toFile())
                    .start();
            assertThat(end(process)).isEqualTo(1);
            assertThat(Files.readString(temp.resolve("err.txt"), UTF_8))
                    .contains("java.io.tmpdir", "org.sqlite.tmpdir")
                    .doesNotContain("damaged", "\tat ");
        }
    }

    @Test
    void once_besideARunningProcess_saysSoAtOnce() throws Exception {
        Process process = start("replicate", database.toString(), replica);
        await().atMost(30, TimeUnit.SECONDS).until(() -> restoredRows() == 0);
        java.io.StringWriter err = new java.io.StringWriter();
        assertThat(LitestreamCli.commandLine()
                        .setErr(new java.io.PrintWriter(err))
                        .execute("replicate", "--once", database.toString(), replica))
                .isEqualTo(1);
        assertThat(err.toString())
                .contains("another process is replicating this database")
                .hasLineCount(1);
        process.destroy();
        assertThat(end(process)).isZero();
    }

    @Test
    void secondProcess_saysThatItWaits_andWhenItTakesOver() throws Exception {
        Process first = start("replicate", database.toString(), replica);
        await().atMost(30, TimeUnit.SECONDS).until(() -> restoredRows() == 0);
        Process second = new ProcessBuilder(command("replicate", database.toString(), replica))
                .redirectOutput(temp.resolve("second.txt").toFile())
                .start();
        await().atMost(30, TimeUnit.SECONDS).until(() -> Files.readString(temp.resolve("second.txt"), UTF_8)
                .endsWith("another process replicates " + database + "; waiting until it ends\n"));
        first.destroyForcibly();
        await().atMost(30, TimeUnit.SECONDS).until(() -> Files.readString(temp.resolve("second.txt"), UTF_8)
                .endsWith("replicating " + database + " to " + replica + "\n"));
        execute("insert into t values (1)");
        await().atMost(30, TimeUnit.SECONDS).until(() -> restoredRows() == 1);
        second.destroy();
        assertThat(end(second)).isZero();
    }

    @Test
    void once_replicaIsAheadOfTheDatabase_needsTheOption() throws Exception {
        execute("insert into t values (1)");
        assertThat(end(start("replicate", "--once", database.toString(), replica)))
                .isZero();
        Path clone = temp.resolve("clone.db");
        execute("vacuum into '" + clone + "'");
        execute("insert into t values (2)");
        assertThat(end(start("replicate", "--once", database.toString(), replica)))
                .isZero();
        assertThat(end(start("replicate", "--once", clone.toString(), replica))).isEqualTo(1);
        assertThat(Files.readString(temp.resolve("err.txt"), UTF_8))
                .startsWith("error: " + clone)
                .contains("--adopt-replica")
                .hasLineCount(1);
        assertThat(restoredRows()).isEqualTo(2);
        assertThat(end(start("replicate", "--once", "--adopt-replica", clone.toString(), replica)))
                .isZero();
        assertThat(restoredRows()).isEqualTo(1);
    }

    private List<String> files(int level) {
        String[] names = temp.resolve("replica/ltx/" + level).toFile().list();
        return names == null ? List.of() : List.of(names);
    }

    /** The TXID with which the newest file of a level ends. */
    private String newest(int level) {
        return files(level).stream()
                .map(name -> name.substring(17, 33))
                .max(String::compareTo)
                .orElse("none");
    }

    @Test
    void missingDatabase_failsInOneLine() throws Exception {
        assertThat(end(start("replicate", "--once", temp.resolve("none.db").toString(), replica)))
                .isEqualTo(1);
        assertThat(Files.readString(temp.resolve("err.txt"), UTF_8))
                .startsWith("error: no such file")
                .hasLineCount(1);
    }

    @Test
    void pathThatIsNoDatabase_failsInOneLine() throws Exception {
        Path folder = Files.createDirectory(temp.resolve("folder"));
        Path text = Files.writeString(temp.resolve("text.db"), "a text of more than 100 bytes: " + "x".repeat(100));
        for (String[] once : new String[][] {{"--once"}, {}}) {
            assertFails(once, folder, "it is a folder");
            assertFails(once, Path.of("/dev/null"), "it is a device");
        }
        assertFails(new String[] {"--once"}, text, "SQLITE_NOTADB");
    }

    private void assertFails(String[] options, Path path, String problem) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("replicate"));
        arguments.addAll(List.of(options));
        arguments.addAll(List.of(path.toString(), replica));
        assertThat(end(start(arguments.toArray(String[]::new)))).isEqualTo(1);
        List<String> lines = Files.readAllLines(temp.resolve("err.txt"), UTF_8);
        assertThat(lines).allMatch(line -> line.startsWith("warning: ") || line.startsWith("error: "));
        assertThat(lines)
                .filteredOn(line -> line.startsWith("error: "))
                .singleElement()
                .asString()
                .startsWith("error: " + path + ": ")
                .contains(problem);
    }

    /** A bucket that may be listed, but not written. */
    @Test
    void once_withoutTheRightToWrite_failsAtOnceInOneLine() throws Exception {
        HttpServer store = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        store.createContext("/", exchange -> {
            exchange.getRequestBody().readAllBytes();
            boolean lists = String.valueOf(exchange.getRequestURI().getQuery()).contains("list-type");
            boolean writes = exchange.getRequestMethod().equals("PUT")
                    || exchange.getRequestMethod().equals("POST");
            String answer = "<Error><Code>" + (writes ? "AccessDenied" : "NoSuchKey") + "</Code></Error>";
            if (lists) {
                answer = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
            }
            boolean silent = exchange.getRequestMethod().equals("HEAD");
            exchange.getResponseHeaders().set("Content-Type", "application/xml");
            exchange.sendResponseHeaders(lists ? 200 : writes ? 403 : 404, silent ? -1 : answer.length());
            if (!silent) {
                exchange.getResponseBody().write(answer.getBytes(UTF_8));
            }
            exchange.close();
        });
        store.start();
        try {
            String url = "s3://bucket/app?region=us-east-1&force-path-style=true&endpoint=http://127.0.0.1:"
                    + store.getAddress().getPort();
            assertThat(end(start("replicate", "--once", database.toString(), url)))
                    .isEqualTo(1);
        } finally {
            store.stop(0);
        }
        assertThat(Files.readString(temp.resolve("err.txt"), UTF_8))
                .contains("error: " + database)
                .contains("not replicated", "AccessDenied")
                .doesNotContain("\tat ");
    }

    private int restoredRows() throws Exception {
        return restoredRows(replica);
    }

    private int restoredRows(String from) throws Exception {
        Path restored = Files.createTempDirectory(temp, "restored").resolve("app.db");
        if (LitestreamCli.commandLine()
                        .setErr(new java.io.PrintWriter(java.io.Writer.nullWriter()))
                        .setOut(new java.io.PrintWriter(java.io.Writer.nullWriter()))
                        .execute("restore", "-o", restored.toString(), from)
                != 0) {
            return -1; // nothing there yet
        }
        try (Connection copy = DriverManager.getConnection("jdbc:sqlite:" + restored);
                Statement statement = copy.createStatement();
                ResultSet row = statement.executeQuery("select count(*) from t")) {
            row.next();
            return row.getInt(1);
        }
    }

    private static List<String> command(String... args) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                System.getProperty("cli.jar")));
        command.addAll(List.of(args));
        return command;
    }

    private Process start(String... args) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command(args));
        builder.environment().putAll(Map.of("AWS_ACCESS_KEY_ID", "key", "AWS_SECRET_ACCESS_KEY", "secret"));
        return builder.redirectOutput(temp.resolve("out.txt").toFile())
                .redirectError(temp.resolve("err.txt").toFile())
                .start();
    }

    private String output() throws IOException {
        return Files.readString(temp.resolve("out.txt"), UTF_8);
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
