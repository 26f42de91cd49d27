package org.litestream4j.internal.pages;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.FaultyReplicaClient.Call;
import org.litestream4j.restore.ModelReplica;
import org.litestream4j.testing.SqliteFixture;

/** How many requests the ways need in which SQLite reads: whole tables, parts of them, single rows. */
class ScansTest extends PagesFixture {

    private static final int SIZE = 4096;

    private Path database;
    private long tableRoot;
    private int pageCount;

    @BeforeEach
    void makeDatabase() throws Exception {
        database = temp.resolve("app.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
            SqliteFixture.execute(
                    connection,
                    "PRAGMA page_size=" + SIZE,
                    "CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT)",
                    "CREATE TABLE b (id INTEGER PRIMARY KEY, v BLOB)",
                    "CREATE INDEX av ON a (v)");
            connection.setAutoCommit(false);
            for (int block = 0; block < 40; block++) { // the pages of the two tables alternate
                SqliteFixture.execute(
                        connection,
                        "INSERT INTO a (v) WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000)"
                                + " SELECT hex(randomblob(60)) FROM c",
                        "INSERT INTO b (v) WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100)"
                                + " SELECT randomblob(600) FROM c");
            }
            connection.commit();
            tableRoot = SqliteFixture.query(connection, "SELECT rootpage FROM sqlite_schema WHERE name='a'");
        }
        byte[] image = Files.readAllBytes(database);
        pageCount = image.length / SIZE;
        model = new ModelReplica(files, SIZE, 1);
        SortedMap<Long, byte[]> all = new TreeMap<>();
        for (int i = 0; i < pageCount; i++) {
            all.put(i + 1L, java.util.Arrays.copyOfRange(image, i * SIZE, (i + 1) * SIZE));
        }
        model.put(9, 1, 1, ModelReplica.encode(model.header(1, 1, pageCount), all));
    }

    private static byte[] page(PinnedState state, long pgno) throws IOException {
        ByteBuffer page = ByteBuffer.allocate(SIZE);
        assertThat(state.read((pgno - 1) * SIZE, page)).isEqualTo(SIZE);
        return page.array();
    }

    /** The leaves below a page, as a scan reads them; reads the interior pages only. */
    private static void leaves(PinnedState state, long pgno, List<Long> found) throws IOException {
        byte[] page = page(state, pgno);
        if (page[0] != 5) {
            found.add(pgno);
            return;
        }
        ByteBuffer bytes = ByteBuffer.wrap(page);
        int cells = bytes.getShort(3);
        for (int i = 0; i <= cells; i++) {
            long child = i == cells ? bytes.getInt(8) : bytes.getInt(bytes.getShort(12 + 2 * i) & 0xFFFF);
            leaves(state, child, found);
        }
    }

    @Test
    void scanOfATable_takesFewRequests_andSkipsWhatLiesBetween() throws Exception {
        PageSource source = open(options().cacheSize(16 << 20)).asOf(new Txid(1));
        PinnedState state = source.pin();
        byte[] image = Files.readAllBytes(database);
        int before = client.calls(Call.OPEN);
        List<Long> leaves = new ArrayList<>();
        leaves(state, tableRoot, leaves);
        assertThat(leaves).hasSizeGreaterThan(1_000);
        assertThat(client.calls(Call.OPEN) - before).isLessThanOrEqualTo(40);
        for (long leaf : leaves) {
            assertThat(page(state, leaf))
                    .isEqualTo(java.util.Arrays.copyOfRange(image, (int) (leaf - 1) * SIZE, (int) leaf * SIZE));
        }
    }

    @Test
    void consecutivePages_takeFewRequests() throws Exception {
        PinnedState state =
                open(options().cacheSize(16 << 20)).asOf(new Txid(1)).pin();
        int before = client.calls(Call.OPEN);
        for (long pgno = 500; pgno < 1_500; pgno++) {
            page(state, pgno);
        }
        assertThat(client.calls(Call.OPEN) - before).isLessThanOrEqualTo(16);
    }

    @Test
    void randomPages_takeOneRequestEach_andNoReadAhead() throws Exception {
        PinnedState state =
                open(options().cacheSize(16 << 20)).asOf(new Txid(1)).pin();
        Random random = new Random(3);
        int before = client.calls(Call.OPEN);
        long bytes = client.bytesRead();
        for (int i = 0; i < 30; i++) {
            page(state, 20 + random.nextInt(pageCount - 40));
        }
        assertThat(client.calls(Call.OPEN) - before).isLessThanOrEqualTo(30);
        assertThat(client.bytesRead() - bytes).isLessThan(30 * 40_000);
    }

    @Test
    void severalScansAtOnce_areFollowed() throws Exception {
        PinnedState state =
                open(options().cacheSize(16 << 20)).asOf(new Txid(1)).pin();
        int before = client.calls(Call.OPEN);
        for (long i = 0; i < 300; i++) {
            page(state, 100 + i);
            page(state, 700 + i);
            page(state, 1_300 + i);
        }
        assertThat(client.calls(Call.OPEN) - before).isLessThanOrEqualTo(40);
    }
}
