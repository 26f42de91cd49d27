package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.testing.EngineFixture;

/** The replica is away, the disk is full, local files are lost while we run: nothing is wrong then or later. */
class OutageTest extends EngineFixture {

    private static final Path FULL = Path.of("/dev/full");

    private Litestream litestream;
    private ManagedDatabase database;
    private Connection connection;

    @BeforeEach
    void begin() throws Exception {
        create("CREATE TABLE t(x)");
        litestream = litestream();
        database = litestream.register(config().build());
        connection = open(database);
        execute(connection, "INSERT INTO t VALUES (1)");
        database.sync(TIMEOUT);
    }

    @AfterEach
    void end() throws Exception {
        connection.close();
        litestream.close();
        assertReplicaIsDatabase();
    }

    @Test
    void replicaAway_localFilesPileUpAndFollowInOrder() throws Exception {
        replicaGoes();
        long pending = writeUnreplicated(6);
        assertThat(pending).isGreaterThanOrEqualTo(6);
        assertThat(database.status().lag()).isPositive();
        assertThat(database.status().lastError()).isNotNull();
        replicaReturns();
        assertReplicated(database, connection);
        assertThat(images()).isEqualTo(1);
        await().atMost(TIMEOUT).until(() -> database.status().lastError() == null); // the lane is just behind
        assertThat(logged().stream().filter(line -> line.startsWith("upload failed")))
                .as("one line for each change of state")
                .hasSize(1);
    }

    @Test
    void localFileLostMeanwhile_isReplacedByAnImage() throws Exception {
        replicaGoes();
        writeUnreplicated(5);
        List<LtxFileName> pending = pending();
        Files.delete(local(pending.get(2)));
        replicaReturns();
        assertReplicated(database, connection);
        assertThat(images()).isEqualTo(2);
        assertThat(logged()).anyMatch(line -> line.contains("missing or damaged"));
    }

    @Test
    void localFileDamagedMeanwhile_isNotUploaded() throws Exception {
        replicaGoes();
        writeUnreplicated(5);
        try (RandomAccessFile file =
                new RandomAccessFile(local(pending().get(2)).toFile(), "rw")) {
            long at = file.length() - 41;
            file.seek(at);
            int value = file.read();
            file.seek(at);
            file.write(value ^ 0x55);
        }
        replicaReturns();
        assertReplicated(database, connection);
        assertThat(images()).isEqualTo(2);
    }

    @Test
    void fileThatCannotBeBegun_delaysTheCapture() throws Exception {
        LtxFileName next = LtxFileName.of(database.status().captured().next());
        Path inTheWay = Files.createDirectory(local(next).resolveSibling(next + ".tmp"));
        Path content = Files.createFile(inTheWay.resolve("content"));
        execute(connection, "INSERT INTO t VALUES (zeroblob(50000))");
        await().atMost(TIMEOUT).until(() -> logged().stream().anyMatch(line -> line.startsWith("capture failed")));
        Files.delete(content);
        execute(connection, "INSERT INTO t VALUES (2)");
        assertReplicated(database, connection);
        assertThat(images()).isEqualTo(1);
    }

    @Test
    void fullDiskForThePosition_delaysTheCapture() throws Exception {
        assumeTrue(Files.exists(FULL), "only where there is " + FULL);
        Path temporary = Files.createSymbolicLink(metaPath().resolve("position.tmp"), FULL);
        Files.delete(metaPath().resolve("position")); // or its slots would be overwritten, which takes no space
        for (int i = 0; i < 10; i++) {
            execute(connection, "INSERT INTO t VALUES (zeroblob(50000))");
        }
        await().atMost(TIMEOUT).until(() -> database.status().lastError() != null);
        Files.delete(temporary);
        assertReplicated(database, connection);
        assertThat(images()).isEqualTo(1);
        await().atMost(TIMEOUT).until(() -> database.status().lastError() == null);
    }

    /** Each in a file of its own. Returns how many transactions are pending. */
    private long writeUnreplicated(int count) throws Exception {
        for (int i = 0; i < count; i++) {
            Txid before = database.status().captured();
            execute(connection, "INSERT INTO t VALUES (randomblob(20000))");
            assertThatThrownBy(() -> database.sync(Duration.ofMillis(50))).isInstanceOf(LitestreamException.class);
            await().atMost(TIMEOUT).until(() -> database.status().captured().isAfter(before));
        }
        return database.status().captured().value()
                - database.status().replicated().value();
    }

    private List<LtxFileName> pending() {
        List<LtxFileName> names = new ArrayList<>();
        for (var txid = database.status().replicated().next();
                !txid.isAfter(database.status().captured());
                txid = txid.next()) {
            names.add(LtxFileName.of(txid));
        }
        return names;
    }

    private Path local(LtxFileName name) {
        return metaPath().resolve("ltx").resolve("0").resolve(name.toString());
    }
}
