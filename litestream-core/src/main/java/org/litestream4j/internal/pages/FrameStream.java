package org.litestream4j.internal.pages;

import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxChecksum;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxPageDecoder;
import org.litestream4j.replica.OpenedFile;

/** Decodes page frames out of a range of a file, in the order of the file. Not thread-safe. */
final class FrameStream {

    private static final int BUFFER_SIZE = 256 << 10;

    private final ReplicaFile file;
    private final InputStream in;
    private final @Nullable String version;
    private final LtxPageDecoder decoder;
    private byte[] buffer;

    /** Offset in the file of the first byte in the buffer. */
    private long bufferAt;

    private int limit;

    /** @param opened content of the file from the offset on */
    FrameStream(ReplicaFile file, OpenedFile opened, long offset, long length) {
        this.file = file;
        in = opened.content();
        version = opened.version();
        bufferAt = offset;
        buffer = new byte[(int) Math.min(BUFFER_SIZE, length)];
        decoder = new LtxPageDecoder(file.header(), file.label());
    }

    /** Reads over all frames before the entry, decodes it, and returns the page as a new array. */
    byte[] read(int entry) throws IOException {
        long offset = file.index().offset(entry);
        int size = file.index().frameSize(entry);
        while (offset - bufferAt >= limit) {
            bufferAt += limit;
            limit = 0;
            fill(1);
        }
        int at = (int) (offset - bufferAt);
        if (at + size > limit) {
            System.arraycopy(buffer, at, buffer, 0, limit - at);
            limit -= at;
            bufferAt = offset;
            at = 0;
            fill(size);
        }
        decoder.decode(buffer, at, size, offset);
        if (decoder.pgno() != file.index().pgno(entry)) {
            throw new LtxFormatException(
                    file.label(),
                    offset,
                    "page index",
                    "page " + file.index().pgno(entry) + ", but its frame says " + decoder.pgno());
        }
        return decoder.page().clone();
    }

    /** Returns the checksum of all frames that were decoded, as included in the checksum of the file. */
    LtxChecksum checksum() {
        return decoder.checksum();
    }

    private void fill(int wanted) throws IOException {
        if (wanted > buffer.length) {
            byte[] larger = new byte[wanted];
            System.arraycopy(buffer, 0, larger, 0, limit);
            buffer = larger;
        }
        while (limit < wanted) {
            int count = in.read(buffer, limit, buffer.length - limit);
            if (count < 0) {
                ReplicaFile.requireKnown(version, file.label());
                throw new LtxFormatException(
                        file.label(),
                        bufferAt + limit,
                        "length",
                        "the file ends here; it was listed with " + file.info().size() + " bytes");
            }
            limit += count;
        }
    }
}
