package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.BufferedInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.testing.ChildProcess;
import org.litestream4j.testing.Disk;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.LockProbe;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * Disks that are full, read-only or gone while we run and at the start: replication pauses and says why, the application keeps
 * what SQLite gives it, nothing is corrupted, and it goes on by itself.
 */
class BadDiskTest extends EngineFixture {

    private static final int MANY = 10_000;

    private Path data;
    private Path meta;
    private LockProbe probe;
    private final List<AutoCloseable> resources = new ArrayList<>();
    private Litestream litestream;
    private ManagedDatabase database;
    private Connection connection;

    @BeforeEach
    void arrange() throws Exception {
        data = Files.createDirectory(folder.resolve("data"));
        meta = folder.resolve("meta");
        path = data.resolve("app.db");
        probe = open(new LockProbe(folder));
    }

    private void begin() throws Exception {
        create("CREATE TABLE IF NOT EXISTS t(x)");
        register();
        connection = open(database);
        execute(connection, "INSERT INTO t VALUES (1)");
        database.sync(TIMEOUT);
    }

    private void register() throws Exception {
        litestream = litestream();
        database = litestream.register(config().metaPath(meta)
                .shutdownSyncTimeout(Duration.ofSeconds(3))
                .build());
    }

    private <T extends AutoCloseable> T open(T resource) {
        resources.add(0, resource);
        return resource;
    }

    @AfterEach
    void end() throws Exception {
        if (connection != null) {
            connection.close();
        }
        if (litestream != null) {
            litestream.close();
        }
        for (AutoCloseable resource : resources) {
            resource.close();
        }
    }

    @Test
    void fullDatabaseDisk_isTheApplicationsAffair_andHarmsNothing() throws Exception {
        Disk disk = open(Disk.small(data, 6));
        Files.write(data.resolve("filler"), new byte[3 << 20]);
        begin();
        int rows = 1 + insertUntilFull();
        assertThatThrownBy(() -> execute(connection, "INSERT INTO t VALUES (zeroblob(1000000))"))
                .isInstanceOf(SQLException.class);
        assertThat(query(connection, "SELECT count(*) FROM t")).isEqualTo(rows);
        disk.free();
        execute(connection, "INSERT INTO t VALUES (randomblob(50000))");
        assertGoesOn(rows + 1);
        assertThat(images()).isEqualTo(1);
    }

    private int insertUntilFull() throws SQLException {
        for (int rows = 0; rows < MANY; rows++) {
            try {
                execute(connection, "INSERT INTO t VALUES (randomblob(20000))");
            } catch (SQLiteException e) {
                assertThat(e.getResultCode()).isEqualTo(SQLiteErrorCode.SQLITE_FULL);
                return rows;
            }
        }
        throw new AssertionError("never full");
    }

    @Test
    void fullMetadataDisk_delaysReplicationAlone() throws Exception {
        Disk disk = open(Disk.small(meta, 2));
        begin();
        disk.fill();
        for (int i = 0; i < 20; i++) {
            execute(connection, "INSERT INTO t VALUES (randomblob(20000))");
        }
        awaitError("No space left");
        assertThat(database.statistics().diskFull()).isTrue();
        assertLocalFilesAreWhole();
        disk.free();
        assertGoesOn(21);
        assertThat(images()).isEqualTo(1);
        assertThat(database.statistics().diskFull()).isFalse();
    }

    @Test
    void fullMetadataDisk_atTheStart_isWaitedFor() throws Exception {
        Disk disk = open(Disk.small(meta, 2));
        create("CREATE TABLE t(x)", "INSERT INTO t VALUES (randomblob(100000))");
        disk.fill();
        register();
        connection = open(database);
        execute(connection, "INSERT INTO t VALUES (1)");
        awaitError("No space left");
        disk.free();
        assertGoesOn(2);
    }

    @Test
    void metadataFolderThatIsAFile_isWaitedFor() throws Exception {
        begin();
        Files.move(meta, folder.resolve("aside"));
        Files.createFile(meta);
        execute(connection, "INSERT INTO t VALUES (2)");
        awaitError(meta.toString());
        assertThat(query(connection, "SELECT count(*) FROM t")).isEqualTo(2);
        Files.delete(meta);
        Files.move(folder.resolve("aside"), meta);
        assertGoesOn(2);
        assertThat(images()).isEqualTo(1);
    }

    @Test
    void metadataFolderThatIsAFile_atTheStart_isWaitedFor() throws Exception {
        Files.createFile(meta);
        create("CREATE TABLE t(x)", "INSERT INTO t VALUES (1)");
        register();
        connection = open(database);
        execute(connection, "INSERT INTO t VALUES (2)");
        awaitError(meta.toString());
        Files.delete(meta);
        assertGoesOn(2);
    }

    @Test
    void readOnlyMetadataFolder_isWaitedFor() throws Exception {
        begin();
        Disk disk = open(Disk.of(meta));
        disk.coverReadOnly();
        execute(connection, "INSERT INTO t VALUES (2)");
        awaitError("Read-only file system");
        execute(connection, "INSERT INTO t VALUES (3)");
        assertLocalFilesAreWhole();
        disk.uncover();
        assertGoesOn(3);
        assertThat(images()).isEqualTo(1);
    }

    /** Who has the files open can write still; the engine opens them anew for its checkpoints. */
    @Test
    void databaseFolderThatTurnsReadOnly_harmsNothing() throws Exception {
        begin();
        await().atMost(TIMEOUT) // the application's, and at most three of ours: no checkpoint is going on
                .during(Duration.ofMillis(200))
                .until(() -> descriptors("app.db-wal") <= 4);
        Disk disk = open(Disk.of(data));
        disk.coverReadOnly();
        for (int i = 2; i <= 10; i++) {
            execute(connection, "INSERT INTO t VALUES (randomblob(100000))");
        }
        await().atMost(TIMEOUT)
                .until(() -> database.status().lastError() != null || Files.size(path) > 900_000); // a round
        disk.uncover();
        assertGoesOn(10);
        assertThat(images()).isEqualTo(1);
    }

    @Test
    void readOnlyDatabaseDisk_atTheStart_isWaitedFor() throws Exception {
        Disk disk = open(Disk.small(data, 4));
        create("CREATE TABLE t(x)", "INSERT INTO t VALUES (1)");
        disk.remount("ro");
        register();
        awaitError("writable");
        disk.remount("rw");
        connection = open(database);
        execute(connection, "INSERT INTO t VALUES (2)");
        assertGoesOn(2);
    }

    /** What the kernel does when it finds errors; there is no way back but to mount the disk anew. */
    @Test
    void databaseDiskThatTurnsReadOnly_stopsTheWriters_andTheNextStartGoesOn() throws Exception {
        Path image = folder.resolve("disk.img");
        Disk disk = open(Disk.ext4(data, image));
        begin();
        for (int i = 2; i <= 10; i++) {
            execute(connection, "INSERT INTO t VALUES (randomblob(10000))");
        }
        database.sync(TIMEOUT);
        disk.abort();
        assertThatThrownBy(() -> execute(connection, "INSERT INTO t VALUES (11)"))
                .isInstanceOf(SQLException.class);
        assertThat(query(connection, "SELECT count(*) FROM t")).isEqualTo(10);
        connection.close();
        litestream.close();
        disk.close();

        open(Disk.ext4(data, image));
        begin();
        assertGoesOn(11);
        assertThat(images()).isLessThanOrEqualTo(2);
    }

    @Test
    void noDescriptorsLeft_delaysReplicationAlone() throws Exception {
        create("CREATE TABLE t(x)");
        try (ChildProcess child =
                ChildProcess.startLimited(folder, 400, DescriptorChild.class, path, folder.resolve("replica"))) {
            child.awaitOutput("child: ready");
            child.tell("take");
            child.awaitOutput("child: took");
            child.awaitOutput("child: committed 20");
            child.awaitOutput("Too many open files");
            child.tell("release");
            child.awaitOutput("child: replicated 21");
            assertThat(probe.isHeldOff(path)).as("SQLite's locks").isTrue();
            child.tell("end");
            assertThat(child.awaitExit(60)).isTrue();
            assertThat(child.exitCode()).as(child.output()).isZero();
        }
        assertReplicaIsDatabase();
    }

    private static long descriptors(String name) throws Exception {
        try (var all = Files.list(Path.of("/proc/self/fd"))) {
            return all.filter(descriptor -> {
                        try {
                            return Files.readSymbolicLink(descriptor).endsWith(name);
                        } catch (java.io.IOException e) {
                            return false; // closed meanwhile
                        }
                    })
                    .count();
        }
    }

    private void awaitError(String text) {
        await().atMost(TIMEOUT)
                .untilAsserted(() -> assertThat(database.status().lastError()).contains(text));
    }

    /** Within the time that a retry may take, without any help, and with SQLite's locks in place. */
    private void assertGoesOn(int rows) throws Exception {
        assertReplicated(database, connection);
        await().atMost(TIMEOUT).until(() -> database.status().lastError() == null);
        assertThat(query(connection, "SELECT count(*) FROM t")).isEqualTo(rows);
        assertThat(probe.isHeldOff(path)).as("SQLite's locks").isTrue();
        execute(connection, "INSERT INTO t VALUES (0)");
        assertReplicated(database, connection);
        assertLocalFilesAreWhole();
        connection.close();
        litestream.close();
        assertReplicaIsDatabase();
    }

    private void assertLocalFilesAreWhole() throws Exception {
        Path level0 = meta.resolve("ltx/0");
        try (var files = Files.list(level0)) {
            for (Path file : files.toList()) {
                var name = LtxFileName.parse(file.getFileName().toString());
                if (name.isPresent()) {
                    try (InputStream in = new BufferedInputStream(Files.newInputStream(file));
                            LtxReader reader = LtxReader.open(in, file.toString(), name.get())) {
                        while (reader.next()) {
                            // reading to the end is the check
                        }
                    } catch (NoSuchFileException e) {
                        // not needed any more
                    }
                }
            }
        }
    }
}
