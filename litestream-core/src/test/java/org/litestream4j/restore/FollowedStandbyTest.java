package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.DatabaseChecksum;
import org.litestream4j.ltx.LtxChecksum;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.file.FileReplicaProvider;
import org.litestream4j.restore.FollowState.Step;

/** A follower of a replica that has surprises, and a reader whose connection stays open. */
class FollowedStandbyTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private static final int PAGE = 4096;

    @TempDir
    Path temp;

    private Path standby;
    private Path replica;
    private ReplicaClient client;
    private final List<FollowState> states = new CopyOnWriteArrayList<>();
    private final List<IOException> problems = new CopyOnWriteArrayList<>();

    @BeforeEach
    void openReplica() {
        standby = temp.resolve("standby.db");
        replica = temp.resolve("replica");
        client = FileReplicaProvider.at(replica);
    }

    @AfterEach
    void closeReplica() throws IOException {
        client.close();
    }

    /** A database in a file, made by these statements. */
    private byte[] database(String... statements) throws SQLException, IOException {
        Path file = temp.resolve("made.db");
        Files.deleteIfExists(file);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
                Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA page_size=" + PAGE);
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
        return Files.readAllBytes(file);
    }

    /** Writes a whole database as one file. */
    private Path put(int level, long min, long max, byte[] database) throws IOException {
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        for (int at = 0; at < database.length; at += PAGE) {
            pages.put(1L + at / PAGE, Arrays.copyOfRange(database, at, at + PAGE));
        }
        LtxHeader header = LtxHeader.of(
                PAGE,
                pages.size(),
                new Txid(min),
                new Txid(max),
                ModelReplica.timestamp(max).toEpochMilli(),
                level == 0 ? new WalRange(32, PAGE + 24L, (int) max, 7) : WalRange.NONE);
        try (ReplicaUpload upload = client.write(level, ModelReplica.name(min, max), ModelReplica.timestamp(max))) {
            upload.write(ModelReplica.encode(header, pages));
            upload.publish();
        }
        return replica.resolve("ltx/" + level)
                .resolve(ModelReplica.name(min, max).toString());
    }

    private static void damage(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 3] ^= 4;
        Files.write(file, bytes);
    }

    private final class Following implements Closeable {

        private final AtomicBoolean cancelled = new AtomicBoolean();
        private final CompletableFuture<Void> end;

        Following(boolean force, boolean compareChecksum) {
            RestoreOptions options = RestoreOptions.builder()
                    .force(force)
                    .compareChecksum(compareChecksum)
                    .cancelled(cancelled::get)
                    .build();
            end = CompletableFuture.runAsync(() -> {
                try {
                    Restore.follow(client, standby, options, Duration.ofMillis(5), new FollowListener() {
                        @Override
                        public void onState(FollowState state) {
                            states.add(state);
                        }

                        @Override
                        public void onProblem(IOException problem) {
                            problems.add(problem);
                        }

                        @Override
                        public void onRecovered() {}
                    });
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
        }

        void awaitState(Step step, long txid) {
            await().atMost(TIMEOUT).until(() -> {
                if (end.isDone()) {
                    end.join();
                }
                return states.stream()
                        .anyMatch(state -> state.step() == step && state.txid().equals(new Txid(txid)));
            });
            states.removeIf(state -> state.txid().equals(new Txid(txid)));
        }

        @Override
        public void close() {
            cancelled.set(true);
            end.join();
        }
    }

    private final class Reader implements Closeable {

        private final Process process;
        private final BufferedReader answers;

        Reader() throws IOException {
            process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1",
                            "-cp",
                            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                            SqlChild.class.getName(),
                            standby.toString())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            answers = process.inputReader();
        }

        String ask(String sql) throws IOException {
            process.outputWriter().write(sql + "\n");
            process.outputWriter().flush();
            return answers.readLine();
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }

    @Test
    void otherSchemaUnderTheSameCookie_isReadFromTheRightTable() throws Exception {
        put(
                0,
                1,
                1,
                database(
                        "CREATE TABLE a(x)",
                        "CREATE TABLE b(x)",
                        "INSERT INTO a VALUES ('a1')",
                        "INSERT INTO b VALUES ('b1')"));
        try (Following following = new Following(false, true)) {
            following.awaitState(Step.RESTORED, 1);
            try (Reader reader = new Reader()) {
                assertThat(reader.ask("SELECT x FROM a")).isEqualTo("a1");
                for (long txid = 2; txid <= 6; txid++) { // each with the primary's cookie 2
                    List<String> tables = txid % 2 == 0 ? List.of("b", "a") : List.of("a", "b");
                    put(
                            0,
                            txid,
                            txid,
                            database(
                                    "CREATE TABLE " + tables.get(0) + "(x)",
                                    "CREATE TABLE " + tables.get(1) + "(x)",
                                    "INSERT INTO a VALUES ('a" + txid + "')",
                                    "INSERT INTO b VALUES ('b" + txid + "')"));
                    following.awaitState(Step.APPLIED, txid);
                    assertThat(reader.ask("SELECT x FROM a")).isEqualTo("a" + txid);
                    assertThat(reader.ask("SELECT x FROM b")).isEqualTo("b" + txid);
                }
            }
        }
    }

    @Test
    void replicaBegunAnew_readerNeverMixesTwoHistories() throws Exception {
        for (long txid = 1; txid <= 3; txid++) {
            put(0, txid, txid, database("CREATE TABLE a(x)", "INSERT INTO a VALUES ('old" + txid + "')"));
        }
        try (Following following = new Following(true, true)) {
            following.awaitState(Step.RESTORED, 3);
            try (Reader reader = new Reader()) {
                assertThat(reader.ask("SELECT x FROM a")).isEqualTo("old3");
                client.delete(0, List.of(ModelReplica.name(1, 1), ModelReplica.name(2, 2), ModelReplica.name(3, 3)));
                put(0, 1, 1, database("CREATE TABLE a(x)", "INSERT INTO a VALUES ('new1')"));
                following.awaitState(Step.COPIED, 1);
                for (long txid = 2; txid <= 3; txid++) {
                    put(0, txid, txid, database("CREATE TABLE a(x)", "INSERT INTO a VALUES ('new" + txid + "')"));
                    following.awaitState(Step.APPLIED, txid);
                }
                assertThat(reader.ask("SELECT x FROM a")).isEqualTo("new3");
            }
        }
    }

    @Test
    void freshStartOverAStandby_letsItsCountersGrow() throws Exception {
        put(0, 1, 1, database("CREATE TABLE a(x)"));
        try (Following following = new Following(false, true)) {
            following.awaitState(Step.RESTORED, 1);
        }
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + standby);
                Statement statement = connection.createStatement()) {
            for (int i = 0; i < 10; i++) {
                statement.execute("CREATE TABLE other" + i + "(x)");
            }
        }
        byte[] before = Files.readAllBytes(standby);
        try (Following following = new Following(true, true)) {
            following.awaitState(Step.RESTORED, 1);
        }
        byte[] after = Files.readAllBytes(standby);
        for (int at : new int[] {24, 40}) {
            assertThat(ByteBuffer.wrap(after).getInt(at))
                    .isGreaterThan(ByteBuffer.wrap(before).getInt(at));
        }
        assertThat(temp.resolve("standby.db-txid")).hasContent("0000000000000001\n");
    }

    @Test
    void damagedFile_isPassedByAFileOfAnotherLevel() throws Exception {
        put(0, 1, 1, database("CREATE TABLE a(x)"));
        try (Following following = new Following(false, true)) {
            following.awaitState(Step.RESTORED, 1);
            byte[] third = database("CREATE TABLE a(x)", "INSERT INTO a VALUES (3)");
            put(1, 2, 3, third);
            put(0, 3, 3, third);
            damage(put(0, 2, 2, database("CREATE TABLE a(x)", "INSERT INTO a VALUES (2)")));
            following.awaitState(Step.APPLIED, 3);
        }
        assertThat(value("SELECT x FROM a")).isEqualTo("3");
    }

    @Test
    void damagedFile_isPassedByASnapshot() throws Exception {
        put(0, 1, 1, database("CREATE TABLE a(x)"));
        try (Following following = new Following(false, true)) {
            following.awaitState(Step.RESTORED, 1);
            byte[] third = database("CREATE TABLE a(x)", "INSERT INTO a VALUES (3)");
            put(9, 1, 3, third);
            put(0, 3, 3, third);
            damage(put(0, 2, 2, database("CREATE TABLE a(x)", "INSERT INTO a VALUES (2)")));
            following.awaitState(Step.COPIED, 3);
        }
        assertThat(value("SELECT x FROM a")).isEqualTo("3");
    }

    @Test
    void ignoredDatabaseChecksum_isIgnoredByCopies() throws Exception {
        put(0, 1, 1, database("CREATE TABLE a(x)"));
        try (Following following = new Following(false, false)) {
            following.awaitState(Step.RESTORED, 1);
            byte[] third = database("CREATE TABLE a(x)", "INSERT INTO a VALUES (3)");
            client.delete(0, List.of(ModelReplica.name(1, 1)));
            Path written = put(9, 1, 3, third);
            DatabaseChecksum.attach(written, OptionalLong.of(LtxChecksum.STORED_BIT | 4711));
            assumeTrue(DatabaseChecksum.of(written).isPresent(), "only where files have attributes");
            put(0, 3, 3, third); // behind a hole
            following.awaitState(Step.COPIED, 3);
        }
        assertThat(value("SELECT x FROM a")).isEqualTo("3");
    }

    private String value(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + standby);
                Statement statement = connection.createStatement();
                var row = statement.executeQuery(sql)) {
            return row.getString(1);
        }
    }
}
