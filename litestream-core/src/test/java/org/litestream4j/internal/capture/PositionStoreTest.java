package org.litestream4j.internal.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.ltx.Txid;

class PositionStoreTest {

    private static final int SLOT = 4096;

    @TempDir
    Path folder;

    private Path file;
    private PositionStore store;

    @BeforeEach
    void create() {
        file = folder.resolve("position");
        store = new PositionStore(folder);
    }

    private static PositionRecord record(long txid) {
        return new PositionRecord(
                new Txid(txid),
                -txid,
                4096,
                7,
                new WalPosition(-1, 2, 32 + txid, -3, 4),
                new Fingerprint(5, 6, 7, Long.MAX_VALUE),
                txid % 2 == 0,
                new WalPosition(8, -9, 100, 11, -12),
                txid % 3 != 0);
    }

    private PositionStore other() {
        return new PositionStore(folder);
    }

    @Test
    void newestRecord_isReadBack_byWhomever() throws IOException {
        assertThat(store.load()).isEmpty();
        for (long txid = 1; txid < 6; txid++) {
            store.save(record(txid));
            assertThat(other().load()).contains(record(txid));
            assertThat(file).hasSize(2 * SLOT);
        }
        PositionStore other = other();
        other.save(record(6)); // without having looked
        assertThat(other().load()).contains(record(6));
    }

    @Test
    void tornWrite_leavesTheRecordBefore_andTheNextIsWhole() throws IOException {
        store.save(record(1));
        store.save(record(2));
        byte[] before = Files.readAllBytes(file);
        store.save(record(3)); // into the first slot
        byte[] after = Files.readAllBytes(file);
        int lineEnd = new String(after, java.nio.charset.StandardCharsets.US_ASCII).indexOf('\n');
        for (int written = 0; written < lineEnd; written++) {
            byte[] torn = Arrays.copyOf(before, before.length);
            System.arraycopy(after, 0, torn, 0, written);
            Files.write(file, torn);
            PositionStore next = other();
            assertThat(next.load()).as("%d bytes", written).contains(record(2));
            next.save(record(4));
            assertThat(other().load()).contains(record(4));
        }
    }

    @Test
    void recordOfTheVersionBefore_countsWithoutContinuity() throws IOException {
        store.save(record(1));
        String line = Files.readString(file).strip();
        String fields = line.substring(0, line.lastIndexOf(' '));
        String before = "2" + fields.substring(1, fields.lastIndexOf(' '));
        java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
        crc.update(before.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        String content = before + " " + Long.toHexString(crc.getValue()) + "\n";
        Files.writeString(file, content + " ".repeat(2 * SLOT - content.length()));
        assertThat(other().load()).hasValueSatisfying(read -> {
            assertThat(read.txid()).isEqualTo(record(1).txid());
            assertThat(read.wal()).isEqualTo(record(1).wal());
            assertThat(read.continuous()).isFalse();
        });
    }

    @Test
    void damage_inBothSlots_isNoRecord() throws IOException {
        store.save(record(1));
        store.save(record(2));
        byte[] content = Files.readAllBytes(file);
        content[10] ^= 1;
        content[SLOT + 10] ^= 1;
        Files.write(file, content);
        assertThat(other().load()).isEmpty();
        Files.write(file, Arrays.copyOf(content, SLOT));
        assertThat(other().load()).isEmpty();
        PositionStore next = other();
        next.save(record(3));
        assertThat(other().load()).contains(record(3));
    }

    @Test
    void fileThatSomebodyDeleted_isMadeAnew() throws IOException {
        store.save(record(1));
        Files.delete(file);
        store.save(record(2));
        assertThat(other().load()).contains(record(2));
        store.delete();
        assertThat(store.load()).isEmpty();
        store.save(record(3));
        assertThat(other().load()).contains(record(3));
    }
}
