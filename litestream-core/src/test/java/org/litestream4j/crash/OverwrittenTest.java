package org.litestream4j.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.testing.ChildProcess;
import org.litestream4j.testing.EngineFixture;

/** Other programs write over the database file, or put another in its place, with and without its WAL. */
class OverwrittenTest extends EngineFixture {

    private static final String FILL =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO t SELECT %s FROM n";

    private Path other;

    @BeforeEach
    void makeAnother() throws Exception {
        create("CREATE TABLE t(x)", FILL.formatted("'ours' || i || hex(zeroblob(200))"));
        other = folder.resolve("other.db");
        Files.copy(path, other);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + other)) {
            execute(connection, "UPDATE t SET x = replace(x, 'ours', 'them')"); // as long, and as many pages
        }
        assertThat(other).hasSize(Files.size(path));
    }

    @Test
    void copiedOver_whileNothingIsWritten_isNoticedAndCapturedAnew() throws Exception {
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                database.sync(TIMEOUT);
                awaitCheckpoint();
                copyOver();
                await().atMost(TIMEOUT).until(() -> readings() == 2);
                assertThat(logged()).anyMatch(line -> line.startsWith("capture failed, will retry"));
                await().atMost(TIMEOUT).until(() -> database.status().lastError() == null);
                assertReplicated(database, connection);
                assertThat(theirs()).isEqualTo(200);
            }
        }
        assertReplicaIsDatabase();
    }

    @Test
    void copiedOver_thenWritten_isNoticedBeforeTheWriteIsCaptured() throws Exception {
        try (Litestream litestream =
                Litestream.builder().watchInterval(Duration.ofHours(1)).build()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                database.sync(TIMEOUT);
                awaitCheckpoint();
                copyOver();
                execute(connection, "INSERT INTO t VALUES (2)");
                assertReplicated(database, connection);
                assertThat(readings()).isEqualTo(2);
            }
        }
        assertReplicaIsDatabase();
    }

    /** SQLite's own restore is a transaction like others. */
    @Test
    void restoreOfTheShell_isCaptured() throws Exception {
        assumeTrue(run("sqlite3", "-version"), "only where there is sqlite3");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                database.sync(TIMEOUT);
                assertThat(run("sqlite3", path.toString(), ".timeout 5000", ".restore " + other))
                        .isTrue();
                await().atMost(TIMEOUT).until(() -> database.status()
                        .replicated()
                        .equals(database.status().captured()));
                assertReplicated(database, connection);
                assertThat(theirs()).isEqualTo(200);
                assertThat(readings()).isEqualTo(1);
            }
        }
        assertReplicaIsDatabase();
    }

    @Test
    void movedInPlace_whileConnectionsAreOpen_isSaid_andFollowedOnceTheyAreClosed() throws Exception {
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                database.sync(TIMEOUT);
                Files.move(other, path, StandardCopyOption.REPLACE_EXISTING); // the WAL stays
                await().atMost(TIMEOUT)
                        .until(() ->
                                String.valueOf(database.status().lastError()).contains("use the old one"));
                execute(connection, "INSERT INTO t VALUES (2)"); // into nowhere
                assertThat(readings()).isEqualTo(1);
            }
            await().atMost(TIMEOUT).until(() -> readings() == 2);
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (3)");
                assertReplicated(database, connection);
            }
        }
        assertReplicaIsDatabase();
    }

    @Test
    void movedAwayAndBack_goesOn() throws Exception {
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                database.sync(TIMEOUT);
                Path away = folder.resolve("away.db");
                Files.move(path, away);
                await().atMost(TIMEOUT)
                        .until(() -> logged().stream().anyMatch(line -> line.startsWith("capture failed")));
                Files.move(away, path);
                execute(connection, "INSERT INTO t VALUES (2)");
                assertReplicated(database, connection);
                assertThat(query(connection, "SELECT count(*) FROM t WHERE x IN (1, 2)"))
                        .isEqualTo(2);
            }
        }
        assertReplicaIsDatabase();
    }

    /** As after a crash: SQLite applies the WAL that it finds to whatever database lies beside it. */
    @Test
    void copiedOverAfterACrash_besideTheOldWal_isNotTakenForTheOld() throws Exception {
        Path crashed = folder.resolve("crashed");
        Path copy = crashed.resolve("app.db");
        Files.createDirectory(crashed);
        Path itsReplica = folder.resolve("its-replica");
        try (ChildProcess child =
                ChildProcess.start(folder.resolve("child.out"), PowerCutChild.class, copy, itsReplica)) {
            child.awaitOutput("child: ready");
        }
        path = copy;
        replica = itsReplica;
        other = folder.resolve("backup.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + other)) {
            execute(connection, "PRAGMA journal_mode=WAL", "CREATE TABLE old(x)", "INSERT INTO old VALUES (1)");
        }
        await().pollDelay(Duration.ofSeconds(3)).until(() -> true); // nobody is quicker to bring a backup
        copyOver();
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            database.sync(TIMEOUT);
        }
        assertThat(readings()).isEqualTo(1);
        assertThat(logged()).anyMatch(line -> line.contains("SQLite has applied it to this one"));
        assertReplicaIsDatabase();
    }

    private static Path wal(Path database) {
        return database.resolveSibling(database.getFileName() + "-wal");
    }

    /** Until nothing is left to copy from the WAL: then two seconds' rest change no file any more. */
    private void awaitCheckpoint() {
        await().atMost(TIMEOUT).until(() -> Files.size(wal(path)) > 0 && Files.size(path) > 0);
        await().atMost(TIMEOUT)
                .during(Duration.ofMillis(300))
                .until(() -> Files.getLastModifiedTime(path).toMillis() < System.currentTimeMillis() - 200);
    }

    /** As {@code cp} does, in a process of its own: a descriptor that is closed here would drop SQLite's locks. */
    private void copyOver() throws Exception {
        assumeTrue(run("cp", other.toString(), path.toString()), "only where there is cp");
    }

    private long theirs() throws SQLException {
        try (Connection connection = plain()) {
            return query(connection, "SELECT count(*) FROM t WHERE x LIKE 'them%'");
        }
    }

    private static boolean run(String... command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor(30, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException e) {
            return false; // there is no such program
        }
    }
}
