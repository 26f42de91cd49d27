package org.litestream4j.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.readreplica.ReadReplica;
import org.litestream4j.replica.ReplicaLocation;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * With the SQLite extension of Litestream (0.5.17 was tried; the package litestream-vfs of PyPI contains it): it reads what we
 * replicated, and of replicas of Litestream, both read the same. Run with {@code -Dlitestream.vfs=PATH} of
 * {@code litestream-vfs.so}, and the program {@code sqlite3}; skipped without them.
 */
class VfsExtensionInteropTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

    /** Values as integers and hexadecimal text, which all versions of SQLite print alike. */
    private static final List<String> QUERIES = List.of(
            "SELECT id, kind, hex(data), length(data) FROM item ORDER BY id",
            "SELECT kind, count(*), sum(amount), min(id), max(id) FROM item GROUP BY kind ORDER BY kind",
            "SELECT a.id, b.id FROM item a JOIN item b ON b.amount = a.amount AND b.id > a.id ORDER BY 1, 2 LIMIT 500",
            "SELECT id, sum(amount) OVER (PARTITION BY kind ORDER BY id) FROM item ORDER BY id",
            "SELECT id, hex(data) FROM item WHERE kind = 3 ORDER BY amount, id",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 7 FROM n WHERE i < 400) SELECT i, amount FROM n JOIN"
                    + " item ON id = i ORDER BY i",
            "SELECT id FROM item ORDER BY data, id",
            "SELECT value FROM json_each((SELECT json_group_array(amount) FROM item WHERE kind = 1)) ORDER BY 1",
            "PRAGMA integrity_check");

    @TempDir
    Path folder;

    private String extension;

    @BeforeEach
    void findExtension() {
        extension = System.getProperty("litestream.vfs", "");
        assumeTrue(!extension.isEmpty(), "needs the extension of Litestream: -Dlitestream.vfs=PATH");
        boolean hasShell = Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(path -> Files.isExecutable(Path.of(path, "sqlite3")));
        assumeTrue(hasShell, "needs the program sqlite3 in the PATH");
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 1024, 4096, 65_536})
    void extension_readsWhatWeReplicated(int pageSize) throws Exception {
        Path path = folder.resolve("app.db");
        Path replica = folder.resolve("replica");
        Instant[] moment = new Instant[1];
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database =
                    litestream.register(DatabaseConfig.builder(path, ReplicaLocation.of("file://" + replica))
                            .build());
            try (Connection writer = database.wrap(source(path, pageSize)).getConnection()) {
                execute(writer, "CREATE TABLE item(id INTEGER PRIMARY KEY, kind INT, amount INT, data BLOB)");
                insert(writer, 400);
                database.sync(TIMEOUT);
                database.snapshot(TIMEOUT);
                insert(writer, 100);
                database.sync(TIMEOUT);
                moment[0] = Instant.now();
                Awaitility.await().until(() -> Instant.now().isAfter(moment[0].plusMillis(10)));
                execute(writer, "DELETE FROM item WHERE id % 7 = 3", "CREATE INDEX by_amount ON item(amount)");
                database.compact(TIMEOUT);
                execute(writer, "UPDATE item SET amount = amount + 1 WHERE kind = 2");
                database.sync(TIMEOUT);
            }
        }
        Instant then = moment[0];
        try (ReadReplica ours = ReadReplica.open("file://" + replica);
                Connection connection = ours.dataSource().getConnection()) {
            assertThat(theirs(replica, null, QUERIES)).isEqualTo(ours(connection, QUERIES));
            List<String> txid = List.of("PRAGMA litestream_txid");
            assertThat(theirs(replica, null, txid)).isEqualTo(ours(connection, txid));
            try (Connection past = ours.asOf(then).getConnection()) {
                List<String> rows = ours(past, QUERIES);
                assertThat(rows).isNotEqualTo(ours(connection, QUERIES));
                assertThat(theirs(replica, then, QUERIES)).isEqualTo(rows);
            }
        }
    }

    static Stream<Path> replicas() throws IOException {
        try (Stream<Path> children = Files.list(FIXTURES)) {
            return children.filter(child -> Files.isDirectory(child.resolve("replica/ltx"))).sorted().toList().stream();
        }
    }

    /** Replicas that Litestream wrote, with both kinds of page frames. */
    @ParameterizedTest
    @MethodSource("replicas")
    void bothReadTheSame_ofWhatLitestreamReplicated(Path fixture) throws Exception {
        Path replica = fixture.resolve("replica").toAbsolutePath();
        try (ReadReplica ours = ReadReplica.open("file://" + replica);
                Connection connection = ours.dataSource().getConnection()) {
            List<String> queries = new ArrayList<>(List.of("PRAGMA integrity_check", "PRAGMA litestream_txid"));
            for (String table : ours(connection, List.of("SELECT name FROM sqlite_master WHERE type = 'table'"))) {
                List<String> columns = new ArrayList<>();
                for (String name : ours(connection, List.of("SELECT name FROM pragma_table_info('" + table + "')"))) {
                    columns.add("typeof(\"" + name + "\"), hex(\"" + name + "\")");
                }
                queries.add("SELECT " + String.join(", ", columns) + " FROM \"" + table + "\"");
            }
            assertThat(queries).hasSizeGreaterThan(3);
            assertThat(theirs(replica, null, queries)).isEqualTo(ours(connection, queries));
        }
    }

    private static SQLiteDataSource source(Path path, int pageSize) {
        SQLiteConfig options = new SQLiteConfig();
        options.setPageSize(pageSize);
        options.setBusyTimeout(20_000);
        SQLiteDataSource source = new SQLiteDataSource(options);
        source.setUrl("jdbc:sqlite:" + path);
        return source;
    }

    private static void insert(Connection writer, int rows) throws SQLException {
        execute(
                writer,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + rows
                        + ") INSERT INTO item(kind, amount, data) SELECT i % 5, i * 31 % 97, randomblob(i * 37 % 3000)"
                        + " FROM n");
    }

    private static List<String> ours(Connection connection, List<String> queries) throws SQLException {
        List<String> rows = new ArrayList<>();
        try (Statement statement = connection.createStatement()) {
            for (String query : queries) {
                try (ResultSet result = statement.executeQuery(query)) {
                    int columns = result.getMetaData().getColumnCount();
                    while (result.next()) {
                        List<String> row = new ArrayList<>();
                        for (int i = 1; i <= columns; i++) {
                            String value = result.getString(i);
                            row.add(value == null ? "" : value);
                        }
                        rows.add(String.join("|", row));
                    }
                }
            }
        }
        return rows;
    }

    private List<String> theirs(Path replica, Instant moment, List<String> queries) throws Exception {
        Path script = folder.resolve("script.sql");
        Path output = folder.resolve("output.txt");
        List<String> lines = new ArrayList<>();
        lines.add(".load " + extension + " sqlite3_litestreamvfs_init");
        lines.add(".open 'file:app.db?vfs=litestream'");
        if (moment != null) {
            lines.add("PRAGMA litestream_time = '" + moment + "';");
        }
        lines.add(".output " + output);
        queries.forEach(query -> lines.add(query + ";"));
        Files.write(script, lines);
        Files.deleteIfExists(output);
        ProcessBuilder shell = new ProcessBuilder("sqlite3", "-batch", "-bail", ":memory:")
                .redirectInput(script.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("messages.txt").toFile());
        shell.environment().put("LITESTREAM_REPLICA_URL", "file://" + replica);
        shell.environment().put("LITESTREAM_LOG_FILE", folder.resolve("log.txt").toString());
        Process process = shell.start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue())
                .as(Files.readString(folder.resolve("messages.txt")))
                .isZero();
        return Files.readAllLines(output, StandardCharsets.UTF_8);
    }
}
