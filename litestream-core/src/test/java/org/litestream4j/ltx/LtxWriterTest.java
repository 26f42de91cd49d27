package org.litestream4j.ltx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LtxWriterTest {

    private static final long CHECKSUM = LtxChecksum.STORED_BIT | 0x77;

    @Property(tries = 150)
    void read_ofWhatWasWritten_isTheSame(
            @ForAll long seed,
            @ForAll @IntRange(min = 9, max = 16) int pageSizeBits,
            @ForAll @IntRange(max = 40) int commit,
            @ForAll boolean snapshot,
            @ForAll boolean checksums,
            @ForAll PageEncoding encoding)
            throws IOException {
        Random random = new Random(seed);
        int pageSize = 1 << pageSizeBits;
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        long xor = 0;
        for (long pgno = 1; pgno <= commit; pgno++) {
            if (snapshot || random.nextBoolean()) {
                byte[] page = LtxFiles.page(pageSize, random);
                pages.put(pgno, page);
                xor ^= LtxChecksum.page(pgno, page);
            }
        }
        LtxHeader header = new LtxHeader(
                checksums ? 0 : LtxHeader.NO_CHECKSUM,
                pageSize,
                commit,
                new Txid(snapshot ? 1 : 2 + random.nextInt(1000)),
                new Txid(random.nextLong() | Long.MIN_VALUE),
                random.nextLong(),
                checksums && !snapshot ? CHECKSUM : 0,
                random.nextBoolean() ? WalRange.NONE : new WalRange(32, random.nextInt(9999), 1, 2),
                random.nextLong());
        long postApply = checksums ? LtxChecksum.database(xor) : 0;

        byte[] file = LtxFiles.write(header, pages, encoding, postApply);
        LtxFiles.Content content = LtxFiles.read(new Dribble(file, random));

        assertThat(content.header()).isEqualTo(header);
        assertThat(content.trailer().postApplyChecksum()).isEqualTo(postApply);
        assertThat(content.pages()).containsExactlyEntriesOf(pages);
        LtxPageIndex index = LtxPageIndex.parse(file, file.length, header, "x");
        assertThat(index.size()).isEqualTo(pages.size());
        assertThat(index.trailer()).isEqualTo(content.trailer());
    }

    @Test
    void written_withWhatTheFormatSays_isTheSameByteForByte() throws Exception {
        byte[] page = LtxFiles.page(512, new Random(5));
        LtxHeader header = LtxFiles.header(512, 9, 4, 6);
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        pages.put(2L, page);
        pages.put(9L, new byte[512]);

        assertThat(LtxFiles.write(header, pages, PageEncoding.BLOCK))
                .isEqualTo(new RawLtx(header)
                        .block(2, page)
                        .block(9, new byte[512])
                        .bytes());
        assertThat(LtxFiles.write(header, pages, PageEncoding.FRAME))
                .isEqualTo(new RawLtx(header)
                        .lz4Frame(2, page)
                        .lz4Frame(9, new byte[512])
                        .bytes());
    }

    @Test
    void size_countsEveryByte() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        LtxWriter writer = LtxWriter.open(out, LtxFiles.header(512, 9, 4, 6), PageEncoding.BLOCK);
        assertThat(writer.size()).isEqualTo(100);
        writer.writePage(1, new byte[512]);
        assertThat(writer.size()).isGreaterThan(110);

        writer.finish(0);

        assertThat(writer.size()).isEqualTo(out.size());
    }

    @Test
    void writePage_thatCannotStandHere_isRefused() throws Exception {
        LtxWriter writer = LtxWriter.open(
                OutputStream.nullOutputStream(), LtxFiles.header(512, 2_097_160, 4, 6), PageEncoding.BLOCK);
        byte[] page = new byte[512];
        writer.writePage(5, page);
        for (long pgno : new long[] {0, -1, 4, 5, 2_097_161, 1L << 33, LockPage.pgno(512)}) {
            assertThatThrownBy(() -> writer.writePage(pgno, page))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("page " + pgno);
        }
        assertThatThrownBy(() -> writer.writePage(6, new byte[511]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("511");
        writer.writePage(6, page); // a refused page changes nothing
        writer.finish(0);
    }

    @Test
    void snapshot_withAGap_isRefused() throws Exception {
        LtxWriter writer =
                LtxWriter.open(OutputStream.nullOutputStream(), LtxFiles.header(512, 3, 1, 6), PageEncoding.BLOCK);
        assertThatThrownBy(() -> writer.writePage(2, new byte[512]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("page 1 is missing");
        writer.writePage(1, new byte[512]);
        writer.writePage(2, new byte[512]);

        assertThatThrownBy(() -> writer.finish(0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("pages 3 to 3 are missing");
    }

    @Test
    void finish_withAPostApplyChecksumThatDoesNotSuit_isRefused() throws Exception {
        assertThatThrownBy(() -> LtxFiles.write(LtxFiles.header(512, 3, 2, 6), new TreeMap<>(), PageEncoding.BLOCK, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("post-apply");
        LtxHeader checksummed = checksummed(3, 2, CHECKSUM);
        assertThatThrownBy(() -> LtxFiles.write(checksummed, new TreeMap<>(), PageEncoding.BLOCK, 0))
                .isInstanceOf(IllegalArgumentException.class);
        LtxHeader snapshot = checksummed(1, 1, 0);
        TreeMap<Long, byte[]> pages = new TreeMap<>();
        pages.put(1L, new byte[512]);
        long right = LtxChecksum.database(LtxChecksum.page(1, new byte[512]));
        assertThat(LtxFiles.write(snapshot, pages, PageEncoding.FRAME, right)).isNotEmpty();
        assertThatThrownBy(() -> LtxFiles.write(snapshot, pages, PageEncoding.FRAME, right ^ 1))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void emptyDatabase_withAndWithoutChecksums_roundTrips() throws Exception {
        for (PageEncoding encoding : PageEncoding.values()) {
            byte[] plain = LtxFiles.write(LtxFiles.header(512, 0, 1, 6), new TreeMap<>(), encoding);
            assertThat(LtxFiles.read(plain).pages()).isEmpty();
            byte[] checksummed = LtxFiles.write(checksummed(0, 1, 0), new TreeMap<>(), encoding, 1L << 63);
            assertThat(LtxFiles.read(checksummed).trailer().postApplyChecksum()).isEqualTo(1L << 63);
            assertThat(LtxPageIndex.parse(plain, plain.length, LtxFiles.header(512, 0, 1, 6), "x")
                            .size())
                    .isZero();
        }
    }

    @Test
    void writer_whoseOutputFailed_doesNotFinish() throws Exception {
        LtxWriter writer = LtxWriter.open(
                new OutputStream() {
                    @Override
                    public void write(int b) throws IOException {
                        throw new IOException("disk full");
                    }
                },
                LtxFiles.header(65536, 300, 4, 6),
                PageEncoding.BLOCK);
        byte[] page = new byte[65536];
        new Random(1).nextBytes(page);
        writer.writePage(1, page);
        assertThatThrownBy(() -> writer.writePage(2, page)).isInstanceOf(IOException.class);

        assertThatThrownBy(() -> writer.finish(0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("failed");
    }

    @Test
    void writer_thatIsFinishedOrClosed_takesNoMore() throws Exception {
        boolean[] closed = {false};
        ByteArrayOutputStream out = new ByteArrayOutputStream() {
            @Override
            public void close() {
                closed[0] = true;
            }
        };
        LtxWriter writer = LtxWriter.open(out, LtxFiles.header(512, 3, 4, 6), PageEncoding.BLOCK);
        writer.finish(0);
        assertThatThrownBy(() -> writer.writePage(1, new byte[512])).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> writer.finish(0)).isInstanceOf(IllegalStateException.class);
        writer.close();
        assertThatThrownBy(() -> writer.finish(0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThat(closed[0]).as("the output is the caller's to close").isFalse();
    }

    @ParameterizedTest
    @EnumSource(PageEncoding.class)
    void snapshot_acrossTheLockPage_leavesItOut(PageEncoding encoding) throws Exception {
        assertSnapshotAcrossTheLockPage(65536, encoding);
    }

    @Test
    @Tag("slow")
    void snapshot_acrossTheLockPageOfTheSmallestPages_leavesItOut() throws Exception {
        assertSnapshotAcrossTheLockPage(512, PageEncoding.BLOCK);
    }

    private static void assertSnapshotAcrossTheLockPage(int pageSize, PageEncoding encoding) throws IOException {
        long lockPgno = LockPage.pgno(pageSize);
        LtxHeader header = LtxFiles.header(pageSize, lockPgno + 2, 1, 6);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] page = new byte[pageSize];
        try (LtxWriter writer = LtxWriter.open(out, header, encoding)) {
            for (long pgno = 1; pgno <= lockPgno + 2; pgno++) {
                page[0] = (byte) pgno;
                if (pgno != lockPgno) {
                    writer.writePage(pgno, page);
                }
            }
            writer.finish(0);
        }
        long read = 0;
        byte[] file = out.toByteArray();
        try (LtxReader reader = LtxFiles.open(file)) {
            while (reader.next()) {
                read++;
                assertThat(reader.pgno()).isEqualTo(read < lockPgno ? read : read + 1);
                assertThat(reader.page()[0]).isEqualTo((byte) reader.pgno());
            }
        }
        assertThat(read).isEqualTo(lockPgno + 1);
        LtxPageIndex index = LtxPageIndex.parse(file, file.length, header, "x");
        assertThat(index.find(lockPgno)).isEqualTo(-1);
        assertThat(index.find(lockPgno + 1)).isEqualTo((int) lockPgno - 1);
    }

    private static LtxHeader checksummed(long commit, long minTxid, long preApply) {
        return new LtxHeader(0, 512, commit, new Txid(minTxid), new Txid(6), 0, preApply, WalRange.NONE, 0);
    }

    /** Gives what it likes at a time. */
    private static final class Dribble extends InputStream {
        private final ByteArrayInputStream in;
        private final Random random;

        Dribble(byte[] bytes, Random random) {
            in = new ByteArrayInputStream(bytes);
            this.random = random;
        }

        @Override
        public int read() {
            return in.read();
        }

        @Override
        public int read(byte[] b, int off, int len) {
            return in.read(b, off, Math.min(len, 1 + random.nextInt(random.nextInt(10) == 0 ? 10_000 : 50)));
        }
    }
}
