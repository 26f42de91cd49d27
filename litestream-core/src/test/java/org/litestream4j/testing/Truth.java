package org.litestream4j.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.litestream4j.ltx.LtxChecksum;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteConnection;

/**
 * What a database holds, page by page, as SQLite itself sees it through a connection: no file is opened, so no lock is lost.
 *
 * @param crcs of the pages, from page 1 on
 */
public record Truth(int pageSize, List<Long> crcs) {

    /**
     * Reads through a connection that has read nothing before: the cache of one that has written may hold free pages whose
     * change SQLite does not write.
     *
     * @param database which somebody keeps from changing meanwhile
     */
    public static Truth of(Path database) throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.setBusyTimeout(10_000);
        config.setPragma(SQLiteConfig.Pragma.SYNCHRONOUS, "NORMAL");
        try (Connection connection = config.createConnection("jdbc:sqlite:" + database)) {
            execute(connection, "PRAGMA wal_autocheckpoint=0");
            return of(connection);
        }
    }

    /** As the engine computes it while capturing, here from all pages at once. */
    public static long databaseChecksum(Path database) throws SQLException {
        try (Connection connection = new SQLiteConfig().createConnection("jdbc:sqlite:" + database)) {
            execute(connection, "PRAGMA wal_autocheckpoint=0");
            int pageSize = (int) SqliteFixture.query(connection, "PRAGMA page_size");
            byte[] bytes = connection.unwrap(SQLiteConnection.class).serialize("main");
            long xor = 0;
            for (int at = 0; at < bytes.length; at += pageSize) {
                xor ^= LtxChecksum.page(1 + at / pageSize, Arrays.copyOfRange(bytes, at, at + pageSize));
            }
            return LtxChecksum.database(xor);
        }
    }

    public static long databaseChecksum(PagesOfReplica replica) {
        long xor = 0;
        for (int i = 0; i < replica.pages().size(); i++) {
            xor ^= LtxChecksum.page(i + 1, replica.pages().get(i));
        }
        return LtxChecksum.database(xor);
    }

    /** Parses CRCs as child processes log them: in hex, separated by commas. */
    public static Truth parse(String pageSize, String hex) {
        List<Long> crcs = new ArrayList<>();
        for (String crc : hex.split(",", -1)) {
            crcs.add(Long.parseLong(crc, 16));
        }
        return new Truth(Integer.parseInt(pageSize), crcs);
    }

    private static Truth of(Connection connection) throws SQLException {
        int pageSize = (int) SqliteFixture.query(connection, "PRAGMA page_size");
        byte[] bytes = connection.unwrap(SQLiteConnection.class).serialize("main");
        List<Long> crcs = new ArrayList<>();
        for (int at = 0; at < bytes.length; at += pageSize) {
            crcs.add(crc(bytes, at, pageSize));
        }
        return new Truth(pageSize, crcs);
    }

    public static Truth of(PagesOfReplica replica) {
        List<Long> crcs = new ArrayList<>();
        for (byte[] page : replica.pages()) {
            crcs.add(crc(page, 0, page.length));
        }
        return new Truth(replica.pageSize(), crcs);
    }

    private static long crc(byte[] bytes, int offset, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, offset, length);
        return crc.getValue();
    }

    /** Fails naming the pages that differ. */
    public void assertSame(Truth actual, String description) {
        assertThat(actual.pageSize).as(description + ": page size").isEqualTo(pageSize);
        assertThat(actual.crcs.size()).as(description + ": pages").isEqualTo(crcs.size());
        List<Integer> wrong = new ArrayList<>();
        for (int i = 0; i < crcs.size(); i++) {
            if (!crcs.get(i).equals(actual.crcs.get(i))) {
                wrong.add(i + 1);
            }
        }
        assertThat(wrong)
                .as(description + ": pages that differ, of " + crcs.size())
                .isEmpty();
    }
}
