package org.litestream4j.internal.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxChecksum;
import org.litestream4j.ltx.Txid;

class PageChecksumsTest {

    @TempDir
    Path folder;

    @Test
    void randomChanges_sumIsThatOfAllPages() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        PageChecksums pages = new PageChecksums(4096, 0);
        TreeMap<Long, Long> model = new TreeMap<>();
        for (int i = 0; i < 3000; i++) {
            if (random.nextInt(10) == 0) {
                long commit = random.nextInt(3000);
                pages.resize(commit);
                model.tailMap(commit, false).clear();
            } else if (pages.commit() > 0) {
                long pgno = 1L + random.nextInt((int) pages.commit());
                long checksum = random.nextInt(20) == 0 ? 0 : random.nextLong() | LtxChecksum.STORED_BIT;
                pages.put(pgno, checksum);
                model.put(pgno, checksum);
                model.values().removeIf(value -> value == 0);
            }
            long xor = model.values().stream().reduce(0L, (a, b) -> a ^ b);
            if (model.size() == pages.commit()) {
                assertThat(pages.ofDatabase()).as("seed " + seed).hasValue(LtxChecksum.database(xor));
            } else {
                assertThat(pages.ofDatabase()).as("seed " + seed).isEmpty();
                assertThat(model).doesNotContainKey(pages.firstUnknown(1));
            }
        }
        for (long pgno = 1; pgno <= pages.commit(); pgno++) {
            pages.put(pgno, -pgno);
        }
        assertThat(pages.firstUnknown(1)).isZero();
        assertThat(pages.isComplete()).isTrue();
    }

    @Test
    void emptyDatabase_hasTheEmptySum() {
        assertThat(new PageChecksums(512, 0).ofDatabase()).hasValue(LtxChecksum.STORED_BIT);
    }

    @Test
    void lockPage_isLeftOut() {
        long lockPage = LockPage.pgno(65536);
        PageChecksums pages = new PageChecksums(65536, lockPage - 1);
        long xor = 0;
        for (long pgno = 1; pgno < lockPage; pgno++) {
            pages.put(pgno, -pgno);
            xor ^= -pgno;
        }
        assertThat(pages.ofDatabase()).hasValue(LtxChecksum.database(xor));
        pages.resize(lockPage); // a database may end with it
        assertThat(pages.isUnknown(lockPage)).isFalse();
        assertThat(pages.ofDatabase()).hasValue(LtxChecksum.database(xor));
        pages.resize(lockPage + 2);
        assertThat(pages.ofDatabase()).isEmpty();
        assertThat(pages.firstUnknown(lockPage - 3)).isEqualTo(lockPage + 1);
        pages.put(lockPage + 1, -1);
        pages.put(lockPage + 2, -2);
        assertThat(pages.ofDatabase()).hasValue(LtxChecksum.database(xor ^ -1 ^ -2));
    }

    @Test
    void saved_comesBackAtItsPositionAndWhole() throws Exception {
        PageChecksumStore store = new PageChecksumStore(folder);
        PageChecksums pages = new PageChecksums(512, 1000);
        for (long pgno = 1; pgno <= 1000; pgno++) {
            pages.put(pgno, -pgno);
        }
        PositionRecord position = position(7, 99, 1000);
        assertThat(store.load(position)).isNull();
        store.save(position, pages);
        PageChecksums loaded = store.load(position);
        assertThat(loaded).isNotNull();
        assertThat(loaded.ofDatabase()).isEqualTo(pages.ofDatabase());
        assertThat(loaded.get(517)).isEqualTo(-517);
        assertThat(store.load(position(8, 99, 1000))).isNull();
        assertThat(store.load(position(7, 98, 1000))).isNull(); // another history's file of that name
        assertThat(store.load(position(7, 99, 999))).isNull();

        Path file = folder.resolve("checksums");
        byte[] bytes = Files.readAllBytes(file);
        for (int at : new int[] {0, 100, 5000, bytes.length - 1}) {
            byte[] damaged = bytes.clone();
            damaged[at] ^= 1;
            Files.write(file, damaged);
            assertThat(store.load(position)).as("byte " + at).isNull();
        }
        Files.write(file, new byte[0]);
        assertThat(store.load(position)).isNull();
    }

    private static PositionRecord position(long txid, long fileChecksum, long commit) {
        return new PositionRecord(
                new Txid(txid),
                fileChecksum,
                512,
                commit,
                WalPosition.NONE,
                Fingerprint.NONE,
                true,
                WalPosition.NONE,
                true);
    }
}
