package org.litestream4j.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.testing.ChildProcess;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.SqliteFixture;

/** What a power cut, a bad disk or a careless hand may leave behind of the files of a killed process. */
class PowerCutTest extends EngineFixture {

    private static final int FRAME = 24 + 4096;

    private Path wal;
    private Path local;

    @BeforeEach
    void writeAndKill() throws Exception {
        wal = folder.resolve("app.db-wal");
        local = metaPath().resolve("ltx").resolve("0");
        try (ChildProcess child = ChildProcess.start(folder.resolve("child.out"), PowerCutChild.class, path, replica)) {
            child.awaitOutput("child: ready");
        }
    }

    @Test
    void tornTransactionAfterTheCapturedEnd_isNotMissed() throws Exception {
        try (RandomAccessFile file = new RandomAccessFile(wal.toFile(), "rw")) {
            byte[] frame = new byte[FRAME];
            file.seek(file.length() - FRAME);
            file.readFully(frame); // its salts are right, its checksum is not where it follows itself
            file.write(frame);
            file.write(frame, 0, FRAME / 2);
        }
        assertGoesOn(0, PowerCutChild.ROWS);
    }

    @Test
    void zeroedFrameBeforeTheCapturedEnd_leadsToImageOfWhatSqliteSees() throws Exception {
        try (RandomAccessFile file = new RandomAccessFile(wal.toFile(), "rw")) {
            file.seek(file.length() - 3 * FRAME);
            file.write(new byte[FRAME]);
        }
        assertGoesOn(1, PowerCutChild.ROWS - 1);
    }

    @Test
    void lostWal_leadsToImageOfWhatSqliteSees() throws Exception {
        Files.delete(wal);
        try (Litestream litestream = litestream()) {
            ManagedDatabase database =
                    litestream.register(config().replaceWithEmpty(true).build());
            database.sync(TIMEOUT);
        }
        assertThat(images()).isEqualTo(1);
        assertReplicaIsDatabase();
    }

    @Test
    void damagedPosition_leadsToImage() throws Exception {
        Path position = metaPath().resolve("position");
        Files.writeString(position, Files.readString(position).replace('a', 'b'));
        assertGoesOn(1, PowerCutChild.ROWS);
        assertThat(logged()).anyMatch(line -> line.startsWith("position record ignored"));
    }

    @Test
    void lostPosition_leadsToImage() throws Exception {
        Files.delete(metaPath().resolve("position"));
        assertGoesOn(1, PowerCutChild.ROWS);
    }

    @Test
    void unfinishedAndUnrecordedFiles_areNotTakenForReal() throws Exception {
        LtxFileName next = LtxFileName.of(newestLocal().max().next());
        Files.write(local.resolve(next + ".tmp"), new byte[1000]);
        Files.write(local.resolve(next.toString()), new byte[1000]); // renamed, but the record had not followed
        Files.write(metaPath().resolve("position.tmp"), new byte[10]);
        assertGoesOn(0, PowerCutChild.ROWS);
    }

    @Test
    void replicaThatLostItsNewestFiles_getsThemAgain() throws Exception {
        loseNewestOfReplica();
        assertGoesOn(0, PowerCutChild.ROWS);
    }

    @Test
    void damagedLocalFileThatTheReplicaHasNot_leadsToImage() throws Exception {
        loseNewestOfReplica();
        try (RandomAccessFile file =
                new RandomAccessFile(local.resolve(newestLocal().toString()).toFile(), "rw")) {
            file.seek(150);
            int value = file.read();
            file.seek(150);
            file.write(value ^ 1);
        }
        assertGoesOn(1, PowerCutChild.ROWS);
        assertThat(logged()).anyMatch(line -> line.contains("missing or damaged"));
        assertThat(logged()).anyMatch(line -> line.startsWith("a full image follows"));
    }

    @Test
    void missingLocalFileThatTheReplicaHasNot_leadsToImage() throws Exception {
        loseNewestOfReplica();
        Files.delete(local.resolve(newestLocal().toString()));
        assertGoesOn(1, PowerCutChild.ROWS);
    }

    @Test
    void damagedLocalFileThatTheReplicaHas_isNotNeeded() throws Exception {
        Files.write(local.resolve(newestLocal().toString()), new byte[3]);
        assertGoesOn(0, PowerCutChild.ROWS);
    }

    @Test
    void writeLockHeldAtTheStart_delaysNothing() throws Exception {
        try (Connection foreign = plain();
                Litestream litestream = litestream()) {
            execute(foreign, "BEGIN IMMEDIATE", "INSERT INTO t VALUES (1)");
            ManagedDatabase database = litestream.register(config().build());
            database.sync(TIMEOUT);
            execute(foreign, "COMMIT");
            database.sync(TIMEOUT);
        }
        assertThat(images()).as("full images: %s", logged()).isZero();
        assertReplicaIsDatabase();
    }

    private void loseNewestOfReplica() throws Exception {
        List<LtxFileName> names = SqliteFixture.level0(replica);
        for (LtxFileName name : names.subList(names.size() - 2, names.size())) {
            Files.delete(replica.resolve("ltx").resolve("0").resolve(name.toString()));
        }
    }

    private LtxFileName newestLocal() throws Exception {
        try (var paths = Files.list(local)) {
            return paths.flatMap(path -> LtxFileName.parse(path.getFileName().toString()).stream())
                    .max(LtxFileName::compareTo)
                    .orElseThrow();
        }
    }

    private void assertGoesOn(int images, int rows) throws Exception {
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                assertThat(query(connection, "SELECT count(*) FROM t")).isEqualTo(rows);
                execute(connection, "INSERT INTO t VALUES (1)");
                assertReplicated(database, connection);
            }
        }
        assertThat(images()).as("full images: %s", logged()).isEqualTo(images);
        assertReplicaIsDatabase();
    }
}
