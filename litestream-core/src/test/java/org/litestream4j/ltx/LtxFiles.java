package org.litestream4j.ltx;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;

/** Files and their pages in memory, for the tests of this package. */
final class LtxFiles {

    static final long TIMESTAMP = 1_795_000_000_000L;

    private LtxFiles() {}

    static LtxHeader header(int pageSize, long commit, long minTxid, long maxTxid) {
        return LtxHeader.of(pageSize, commit, new Txid(minTxid), new Txid(maxTxid), TIMESTAMP, WalRange.NONE);
    }

    static byte[] write(LtxHeader header, SortedMap<Long, byte[]> pages, PageEncoding encoding) throws IOException {
        return write(header, pages, encoding, 0);
    }

    static byte[] write(LtxHeader header, SortedMap<Long, byte[]> pages, PageEncoding encoding, long postApply)
            throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (LtxWriter writer = LtxWriter.open(out, header, encoding)) {
            for (var page : pages.entrySet()) {
                writer.writePage(page.getKey(), page.getValue());
            }
            writer.finish(postApply);
        }
        return out.toByteArray();
    }

    static LtxReader open(byte[] file) throws IOException {
        return LtxReader.open(new ByteArrayInputStream(file), "test.ltx");
    }

    static Content read(byte[] file) throws IOException {
        return read(new ByteArrayInputStream(file));
    }

    static Content read(InputStream in) throws IOException {
        try (LtxReader reader = LtxReader.open(in, "test.ltx")) {
            SortedMap<Long, byte[]> pages = new TreeMap<>();
            while (reader.next()) {
                pages.put(reader.pgno(), reader.page().clone());
            }
            return new Content(reader.header(), pages, reader.trailer());
        }
    }

    static byte[] merge(List<byte[]> files, PageEncoding encoding) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (LtxMerger merger = merger(files)) {
            merger.writeTo(out, encoding);
        }
        return out.toByteArray();
    }

    static LtxMerger merger(List<byte[]> files) throws IOException {
        List<LtxReader> inputs = new ArrayList<>();
        for (byte[] file : files) {
            inputs.add(LtxReader.open(new ByteArrayInputStream(file), "input-" + inputs.size()));
        }
        return LtxMerger.open(inputs);
    }

    /** A page that compresses somewhat, as rows do; a few are all zeros or not compressible at all. */
    static byte[] page(int pageSize, Random random) {
        byte[] page = new byte[pageSize];
        switch (random.nextInt(8)) {
            case 0 -> {} // zeros
            case 1 -> random.nextBytes(page);
            default -> {
                for (int i = 0; i < pageSize; i++) {
                    page[i] = (byte) (random.nextInt(4) == 0 ? random.nextInt() : i % 7);
                }
            }
        }
        return page;
    }

    /** What a file holds. */
    record Content(LtxHeader header, SortedMap<Long, byte[]> pages, LtxTrailer trailer) {}
}
