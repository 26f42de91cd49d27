package org.litestream4j.internal.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Reads WAL files that SQLite wrote, and copies of them that are damaged. */
class WalFileTest {

    private static final long NO_LIMIT = Long.MAX_VALUE;

    @TempDir
    Path folder;

    private Path database;
    private Path walPath;
    private Connection connection;

    @BeforeEach
    void open() throws SQLException {
        database = folder.resolve("test.db");
        walPath = folder.resolve("test.db-wal");
        connection = connect(4096);
        execute(connection, "create table t(id integer primary key, x)");
    }

    @AfterEach
    void close() throws SQLException {
        connection.close();
    }

    private Connection connect(int pageSize) throws SQLException {
        Connection opened = DriverManager.getConnection("jdbc:sqlite:" + database);
        execute(opened, "pragma page_size=" + pageSize, "pragma journal_mode=wal", "pragma wal_autocheckpoint=0");
        return opened;
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 1024, 4096, 8192, 65536})
    void scan_findsWhatSqliteSees(int pageSize) throws Exception {
        connection.close();
        for (Path path : new Path[] {database, walPath, folder.resolve("test.db-shm")}) {
            Files.deleteIfExists(path);
        }
        connection = connect(pageSize);
        execute(connection, "create table t(id integer primary key, x)");
        Random random = new Random(pageSize);
        for (int i = 0; i < 50; i++) {
            execute(connection, "insert into t(x) values (randomblob(" + random.nextInt(3 * pageSize) + "))");
        }
        execute(connection, "delete from t where id % 3 = 0", "update t set x = zeroblob(10) where id % 5 = 0");
        try (WalFile wal = WalFile.open(walPath)) {
            WalScan scan = wal.scan(WalPosition.NONE, NO_LIMIT);
            assertThat(scan.header().pageSize()).isEqualTo(pageSize);
            assertThat(scan.commit()).isEqualTo(query(connection, "pragma page_count"));
            assertThat(scan.end().offset()).isEqualTo(Files.size(walPath));
            // what the checkpoint now writes into the file are exactly the pages of the scan
            byte[][] fromWal = pages(wal, scan, pageSize);
            execute(connection, "pragma wal_checkpoint(truncate)");
            connection.close();
            byte[] file = Files.readAllBytes(database);
            assertThat(file).hasSize(Math.toIntExact(scan.commit() * pageSize));
            for (long entry : scan.pages().sorted(scan.commit())) {
                int from = Math.toIntExact((WalPageMap.pgno(entry) - 1) * pageSize);
                assertThat(fromWal[(int) WalPageMap.pgno(entry)])
                        .isEqualTo(Arrays.copyOfRange(file, from, from + pageSize));
            }
        }
    }

    private static byte[][] pages(WalFile wal, WalScan scan, int pageSize) throws Exception {
        byte[][] pages = new byte[Math.toIntExact(scan.commit()) + 1][];
        for (long entry : scan.pages().sorted(scan.commit())) {
            byte[] page = new byte[pageSize];
            wal.readPage(WalPageMap.frameOf(entry), page);
            pages[(int) WalPageMap.pgno(entry)] = page;
        }
        return pages;
    }

    @Test
    void scanFromEnd_findsOnlyWhatCameSince() throws Exception {
        execute(connection, "insert into t(x) values (zeroblob(20000))");
        try (WalFile wal = WalFile.open(walPath)) {
            WalScan first = wal.scan(WalPosition.NONE, NO_LIMIT);
            assertThat(wal.scan(first.end(), NO_LIMIT).found()).isFalse();
            execute(connection, "update t set x = 1 where id = 1");
            WalScan second = wal.scan(first.end(), NO_LIMIT);
            assertThat(second.found()).isTrue();
            assertThat(second.start()).isEqualTo(first.end());
            assertThat(second.pages().size()).isLessThan(first.pages().size());
            assertThat(wal.leadsTo(first.end())).isTrue();
            assertThat(wal.leadsTo(second.end())).isTrue();
        }
    }

    @Test
    void limit_endsAtTheNextCommit() throws Exception {
        for (int i = 0; i < 20; i++) {
            execute(connection, "insert into t(x) values (zeroblob(9000))");
        }
        try (WalFile wal = WalFile.open(walPath)) {
            WalPosition position = WalPosition.NONE;
            int scans = 0;
            WalScan scan;
            do {
                scan = wal.scan(position, 1);
                assertThat(scan.found()).isTrue();
                assertThat(scan.commit()).isPositive();
                position = scan.end();
                scans++;
            } while (scan.more() && wal.scan(position, NO_LIMIT).found());
            assertThat(scans).isEqualTo(21); // one for each transaction
            assertThat(position).isEqualTo(wal.scan(WalPosition.NONE, NO_LIMIT).end());
        }
    }

    @Test
    void openTransaction_doesNotCount() throws Exception {
        try (WalFile wal = WalFile.open(walPath)) {
            WalPosition before = wal.scan(WalPosition.NONE, NO_LIMIT).end();
            execute(connection, "pragma cache_size=5", "begin");
            for (int i = 0; i < 50; i++) {
                execute(connection, "insert into t(x) values (randomblob(4000))"); // spills into the WAL
            }
            assertThat(wal.scan(before, NO_LIMIT).found()).isFalse();
            execute(connection, "rollback", "insert into t(x) values (1)");
            WalScan after = wal.scan(before, NO_LIMIT);
            assertThat(after.found()).isTrue();
            assertThat(after.pages().size()).isLessThan(5);
        }
    }

    @Test
    void framesBeforeReset_areIgnored() throws Exception {
        execute(connection, "insert into t(x) values (zeroblob(100000))");
        try (WalFile wal = WalFile.open(walPath)) {
            WalPosition before = wal.scan(WalPosition.NONE, NO_LIMIT).end();
            long size = Files.size(walPath);
            execute(connection, "pragma wal_checkpoint(restart)", "update t set x = 1");
            assertThat(Files.size(walPath)).isEqualTo(size); // the old frames are still there
            WalScan scan = wal.scan(before, NO_LIMIT);
            assertThat(scan.start().offset()).isEqualTo(WalHeader.SIZE);
            assertThat(scan.found()).isTrue();
            assertThat(scan.end().offset()).isLessThan(size);
            assertThat(wal.leadsTo(before)).isFalse();
        }
    }

    @Test
    void tornTail_isIgnored() throws Exception {
        for (int i = 0; i < 5; i++) {
            execute(connection, "insert into t(x) values (randomblob(5000))");
        }
        byte[] whole = Files.readAllBytes(walPath);
        Path copy = folder.resolve("copy-wal");
        long lastEnd = -1;
        for (int length = 0; length <= whole.length; length += 97) {
            Files.write(copy, Arrays.copyOf(whole, length));
            try (WalFile wal = WalFile.open(copy)) {
                WalScan scan = wal.scan(WalPosition.NONE, NO_LIMIT);
                assertThat(scan.end().offset()).isLessThanOrEqualTo(Math.max(length, WalHeader.SIZE));
                assertThat(scan.end().offset()).isGreaterThanOrEqualTo(lastEnd);
                lastEnd = scan.end().offset();
            }
        }
    }

    @Test
    void anyFlippedByte_endsTheWalBeforeIt() throws Exception {
        for (int i = 0; i < 4; i++) {
            execute(connection, "insert into t(x) values (randomblob(3000))");
        }
        byte[] whole = Files.readAllBytes(walPath);
        Path copy = folder.resolve("copy-wal");
        Random random = new Random(7);
        for (int i = 0; i < 300; i++) {
            int at = random.nextInt(whole.length);
            byte[] damaged = whole.clone();
            damaged[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(copy, damaged);
            try (WalFile wal = WalFile.open(copy)) {
                WalScan scan = wal.scan(WalPosition.NONE, NO_LIMIT);
                assertThat(scan.end().offset())
                        .as("flipped byte %d", at)
                        .isLessThanOrEqualTo(Math.max(at, WalHeader.SIZE));
            }
        }
    }

    @Test
    void bigEndianChecksums_areRead() throws Exception {
        execute(connection, "insert into t(x) values (randomblob(5000))");
        byte[] big = withBigEndianChecksums(Files.readAllBytes(walPath));
        Path copy = folder.resolve("big.db-wal");
        Files.write(copy, big);
        try (WalFile wal = WalFile.open(copy);
                WalFile original = WalFile.open(walPath)) {
            assertThat(wal.header().orElseThrow().bigEndian()).isTrue();
            WalScan scan = wal.scan(WalPosition.NONE, NO_LIMIT);
            WalScan expected = original.scan(WalPosition.NONE, NO_LIMIT);
            assertThat(scan.end().offset()).isEqualTo(expected.end().offset());
            assertThat(scan.commit()).isEqualTo(expected.commit());
        }
        // SQLite takes it too
        connection.close();
        Path other = folder.resolve("big.db");
        Files.copy(database, other);
        try (Connection opened = DriverManager.getConnection("jdbc:sqlite:" + other)) {
            assertThat(query(opened, "select count(*) from t")).isEqualTo(1);
        }
    }

    /** The same WAL as a big-endian machine would have written it; sums computed the slow way. */
    private static byte[] withBigEndianChecksums(byte[] wal) {
        ByteBuffer out = ByteBuffer.wrap(wal.clone()).order(ByteOrder.BIG_ENDIAN);
        out.putInt(0, out.getInt(0) | 1);
        int[] sum = sum(out, new int[] {0, 0}, 0, 24);
        out.putInt(24, sum[0]).putInt(28, sum[1]);
        int frame = 24 + out.getInt(8);
        for (int at = 32; at + frame <= wal.length; at += frame) {
            sum = sum(out, sum, at, 8);
            sum = sum(out, sum, at + 24, frame - 24);
            out.putInt(at + 16, sum[0]).putInt(at + 20, sum[1]);
        }
        return out.array();
    }

    private static int[] sum(ByteBuffer bytes, int[] start, int offset, int length) {
        int s0 = start[0];
        int s1 = start[1];
        for (int i = offset; i < offset + length; i += 8) {
            s0 += bytes.getInt(i) + s1;
            s1 += bytes.getInt(i + 4) + s0;
        }
        return new int[] {s0, s1};
    }

    @Test
    void missingFile_isAnError() {
        assertThatThrownBy(() -> WalFile.open(folder.resolve("none-wal"))).isInstanceOf(NoSuchFileException.class);
    }

    @Test
    void emptyFile_holdsNothing() throws Exception {
        Path empty = Files.createFile(folder.resolve("empty-wal"));
        try (WalFile wal = WalFile.open(empty)) {
            assertThat(wal.header()).isEmpty();
            assertThat(wal.scan(WalPosition.NONE, NO_LIMIT).found()).isFalse();
        }
    }
}
