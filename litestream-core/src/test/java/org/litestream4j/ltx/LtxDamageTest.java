package org.litestream4j.ltx;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.SortedMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Golden files cut at every length and with every bit flipped: rejected, or the same pages. */
class LtxDamageTest {

    static List<Path> files() {
        return List.of(
                GoldenFilesTest.FIXTURES.resolve("levels-4096/replica/ltx/0/0000000000000001-0000000000000001.ltx"),
                GoldenFilesTest.FIXTURES.resolve("page-512/replica/ltx/0/0000000000000002-0000000000000002.ltx"),
                GoldenFilesTest.FIXTURES.resolve("lz4frame-4096/replica/ltx/0/0000000000000001-0000000000000001.ltx"),
                GoldenFilesTest.FIXTURES.resolve("ltx-files/snapshot-checksummed-512.ltx"),
                GoldenFilesTest.FIXTURES.resolve("ltx-files/around-lock-page-512.ltx"),
                GoldenFilesTest.FIXTURES.resolve("ltx-files/no-pages-4096.ltx"));
    }

    @ParameterizedTest
    @MethodSource("files")
    void read_ofAFileCutAtAnyLength_isRejected(Path path) throws Exception {
        byte[] file = Files.readAllBytes(path);
        for (int length = 0; length < file.length; length++) {
            byte[] cut = Arrays.copyOf(file, length);
            assertThat(isRejected(cut)).as("cut at %s", length).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void read_ofAFileWithAnyBitFlipped_isRejectedOrGivesTheSamePages(Path path) throws Exception {
        byte[] file = Files.readAllBytes(path);
        LtxFiles.Content content = LtxFiles.read(file);
        BitSet compressed = compressedBytes(file, content.header());
        for (int bit = 0; bit < file.length * 8; bit++) {
            byte[] flipped = file.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            try {
                LtxFiles.Content found = LtxFiles.read(flipped);
                assertThat(compressed.get(bit / 8))
                        .as("bit %s of byte %s", bit % 8, bit / 8)
                        .isTrue();
                assertSamePages(found.pages(), content.pages());
            } catch (LtxFormatException expected) {
                assertThat(expected.source()).isEqualTo("test.ltx");
            }
        }
    }

    private static BitSet compressedBytes(byte[] file, LtxHeader header) throws Exception {
        LtxPageIndex index = LtxPageIndex.parse(file, file.length, header, "test.ltx");
        BitSet compressed = new BitSet(file.length);
        for (int i = 0; i < index.size(); i++) {
            int offset = (int) index.offset(i);
            compressed.set(offset + (file[offset + 5] == 1 ? 10 : 6), offset + index.frameSize(i));
        }
        return compressed;
    }

    private static void assertSamePages(SortedMap<Long, byte[]> found, SortedMap<Long, byte[]> expected) {
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        found.forEach((pgno, page) -> assertThat(Arrays.equals(page, expected.get(pgno)))
                .as("page %s", pgno)
                .isTrue());
    }

    private static boolean isRejected(byte[] file) throws Exception {
        try {
            LtxFiles.read(file);
            return false;
        } catch (LtxFormatException e) {
            return true;
        }
    }
}
