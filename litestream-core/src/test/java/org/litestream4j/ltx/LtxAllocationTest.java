package org.litestream4j.ltx;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Nothing is allocated per page but the index. */
class LtxAllocationTest {

    private static final int FEW = 1_000;
    private static final int MANY = 9_000;
    /** An entry has three varints; the chunk that is filled last may be half empty. */
    private static final int INDEX_BYTES_PER_PAGE = 24;

    @ParameterizedTest
    @EnumSource(PageEncoding.class)
    void read_ofMorePages_allocatesNoMore(PageEncoding encoding) throws Exception {
        byte[] few = file(FEW, 1, encoding);
        byte[] many = file(MANY, 1, encoding);
        assertFlat(() -> read(few), () -> read(many));
    }

    @ParameterizedTest
    @EnumSource(PageEncoding.class)
    void write_ofMorePages_allocatesNoMore(PageEncoding encoding) throws Exception {
        assertFlat(() -> write(FEW, encoding), () -> write(MANY, encoding));
    }

    @ParameterizedTest
    @EnumSource(PageEncoding.class)
    void merge_ofMorePages_allocatesNoMore(PageEncoding encoding) throws Exception {
        List<byte[]> few = List.of(file(FEW, 1, PageEncoding.BLOCK), file(FEW, 2, PageEncoding.BLOCK));
        List<byte[]> many = List.of(file(MANY, 1, PageEncoding.BLOCK), file(MANY, 2, PageEncoding.BLOCK));
        assertFlat(() -> merge(few, encoding), () -> merge(many, encoding));
    }

    private static void assertFlat(Allocations.Step few, Allocations.Step many) throws IOException {
        few.run(); // loads classes
        long ofFew = Allocations.of(few);
        long ofMany = Allocations.of(many);
        // Two inputs and one output at most keep an index each.
        assertThat((ofMany - ofFew) / (MANY - FEW)).isLessThan(3L * INDEX_BYTES_PER_PAGE);
    }

    private static void read(byte[] file) throws IOException {
        try (LtxReader reader = LtxFiles.open(file)) {
            while (reader.next()) {
                if (reader.page().length != 512) {
                    throw new AssertionError("page " + reader.pgno());
                }
            }
        }
    }

    private static void write(int pages, PageEncoding encoding) throws IOException {
        byte[] page = LtxFiles.page(512, new Random(3));
        try (LtxWriter writer =
                LtxWriter.open(OutputStream.nullOutputStream(), LtxFiles.header(512, pages, 1, 1), encoding)) {
            for (long pgno = 1; pgno <= pages; pgno++) {
                writer.writePage(pgno, page);
            }
            writer.finish(0);
        }
    }

    private static void merge(List<byte[]> files, PageEncoding encoding) throws IOException {
        try (LtxMerger merger = LtxFiles.merger(files)) {
            merger.writeTo(OutputStream.nullOutputStream(), encoding);
        }
    }

    private static byte[] file(int count, long txid, PageEncoding encoding) throws IOException {
        TreeMap<Long, byte[]> pages = new TreeMap<>();
        Random random = new Random(4);
        for (long pgno = 1; pgno <= count; pgno++) {
            pages.put(pgno, LtxFiles.page(512, random));
        }
        return LtxFiles.write(LtxFiles.header(512, count, txid, txid), pages, encoding);
    }
}
