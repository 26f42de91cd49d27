package org.litestream4j.restore;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxChecksum;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxPageDecoder;
import org.litestream4j.ltx.LtxPageIndex;
import org.litestream4j.ltx.LtxTrailer;
import org.litestream4j.replica.ResumingInputStream;
import org.litestream4j.replica.StopSignal;

/**
 * A file that several workers read in parts. Its checksum is combined from the checksums of the parts and verified when
 * the last part is done. Thread-safe.
 */
final class LargeFile {

    private static final int SUFFIX_SIZE = 64 * 1024;

    /** Maximum size in bytes of a page index, which is read into one array. */
    static final int MAX_INDEX = Integer.MAX_VALUE - 64;

    private static final int BUFFER_SIZE = 256 * 1024;

    private final PlanSource source;
    private final LtxHeader header;
    private final OptionalLong databaseChecksum;
    private final LtxPageIndex index;
    private final LtxChecksum headerChecksum;
    private final List<Part> parts = new ArrayList<>();
    private final AtomicInteger unfinished;

    private LargeFile(
            PlanSource source,
            LtxHeader header,
            OptionalLong databaseChecksum,
            LtxChecksum headerChecksum,
            LtxPageIndex index,
            long partSize) {
        this.source = source;
        this.header = header;
        this.databaseChecksum = databaseChecksum;
        this.headerChecksum = headerChecksum;
        this.index = index;
        int from = 0;
        for (int entry = 0; entry < index.size(); entry++) {
            if (index.offset(entry) + index.frameSize(entry) - index.offset(from) >= partSize
                    || entry + 1 == index.size()) {
                parts.add(new Part(from, entry + 1));
                from = entry + 1;
            }
        }
        unfinished = new AtomicInteger(parts.size());
    }

    /**
     * Reads header, page index and trailer.
     *
     * @param partSize bytes of frames that a worker reads in one part
     * @param maxIndex normally {@link #MAX_INDEX}
     * @return null if the page index is larger; the file can then only be read from beginning to end
     */
    static @Nullable LargeFile open(
            PlanSource source, long partSize, int maxIndex, StopSignal stop, RestoreCounters counters)
            throws IOException {
        byte[] headerBytes;
        OptionalLong databaseChecksum;
        try (ResumingInputStream in = source.open(0, LtxHeader.SIZE, stop, counters)) {
            headerBytes = in.readNBytes(LtxHeader.SIZE);
            databaseChecksum = in.databaseChecksum();
        }
        LtxHeader header = LtxHeader.parse(headerBytes, source.label());
        PlanReader.requireName(header, source);
        LtxChecksum headerChecksum = new LtxChecksum();
        headerChecksum.update(headerBytes, 0, LtxHeader.SIZE);

        long size = source.info().size();
        int suffixGuess = (int) Math.min(SUFFIX_SIZE, size);
        byte[] suffix = source.read(size - suffixGuess, suffixGuess, stop, counters);
        long suffixSize = LtxPageIndex.suffixSize(suffix, size, header, source.label());
        if (suffixSize > maxIndex) {
            return null;
        }
        if (suffixSize > suffix.length) {
            suffix = source.read(size - suffixSize, Math.toIntExact(suffixSize), stop, counters);
        }
        LtxPageIndex index = LtxPageIndex.parse(suffix, size, header, source.label());
        return new LargeFile(source, header, databaseChecksum, headerChecksum, index, partSize);
    }

    LtxHeader header() {
        return header;
    }

    /**
     * Returns the checksum of the database after the file's last transaction, as recorded on the replica; empty if it
     * is not recorded.
     */
    OptionalLong databaseChecksum() {
        return databaseChecksum;
    }

    LtxTrailer trailer() {
        return index.trailer();
    }

    long pages() {
        return index.size();
    }

    List<Part> parts() {
        return parts;
    }

    /** Returns whether this was the last part and the file is verified. */
    private boolean finish() throws LtxFormatException {
        if (unfinished.decrementAndGet() > 0) {
            return false;
        }
        LtxChecksum whole = headerChecksum;
        long xorOfPages = 0;
        for (Part part : parts) {
            whole.append(part.checksum);
            xorOfPages ^= part.xorOfPages;
        }
        index.verify(whole);
        long postApply = index.trailer().postApplyChecksum();
        if (header.isSnapshot() && header.hasDatabaseChecksums() && LtxChecksum.database(xorOfPages) != postApply) {
            throw new LtxFormatException(
                    source.label(),
                    source.info().size() - LtxTrailer.SIZE,
                    "database checksum",
                    hex(postApply) + ", but the pages have " + hex(LtxChecksum.database(xorOfPages)));
        }
        return true;
    }

    private static String hex(long value) {
        return HexFormat.of().toHexDigits(value);
    }

    /** A range of consecutive frames. */
    final class Part {

        private final int from;
        private final int to;
        private volatile LtxChecksum checksum = new LtxChecksum();
        private volatile long xorOfPages;

        private Part(int from, int to) {
            this.from = from;
            this.to = to;
        }

        /**
         * Reads and decodes the pages of this part and passes them to a writer.
         *
         * @return whether the whole file is now verified
         */
        boolean read(PageImage.Writer writer, StopSignal stop, RestoreCounters counters) throws IOException {
            LtxPageDecoder decoder = new LtxPageDecoder(header, source.label());
            byte[] buffer = new byte[BUFFER_SIZE];
            int position = 0;
            int limit = 0;
            long xor = 0;
            long offset = index.offset(from);
            long end = index.offset(to - 1) + index.frameSize(to - 1);
            try (ResumingInputStream in = source.open(offset, end - offset, stop, counters)) {
                for (int entry = from; entry < to; entry++) {
                    int size = index.frameSize(entry);
                    if (limit - position < size) {
                        System.arraycopy(buffer, position, buffer, 0, limit - position);
                        limit -= position;
                        position = 0;
                        limit += in.readNBytes(buffer, limit, buffer.length - limit);
                    }
                    decoder.decode(buffer, position, size, index.offset(entry));
                    requirePgno(decoder.pgno(), entry);
                    writer.add(decoder.pgno(), decoder.page());
                    xor ^= header.hasDatabaseChecksums() ? LtxChecksum.page(decoder.pgno(), decoder.page()) : 0;
                    position += size;
                }
            }
            writer.flush();
            checksum = decoder.checksum();
            xorOfPages = xor;
            return finish();
        }

        private void requirePgno(long pgno, int entry) throws LtxFormatException {
            if (pgno != index.pgno(entry)) {
                throw new LtxFormatException(
                        source.label(),
                        index.offset(entry),
                        "page index",
                        "page " + index.pgno(entry) + ", but its frame says " + pgno);
            }
        }
    }
}
