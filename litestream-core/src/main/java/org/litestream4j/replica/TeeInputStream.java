package org.litestream4j.replica;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.function.LongConsumer;

/** Copies all bytes that are read to an output. Closes neither stream. */
public final class TeeInputStream extends FilterInputStream {

    private final OutputStream out;
    private final LongConsumer progress;

    /** @param progress receives the number of bytes after each write */
    public TeeInputStream(InputStream in, OutputStream out, LongConsumer progress) {
        super(in);
        this.out = out;
        this.progress = progress;
    }

    @Override
    public int read() throws IOException {
        int value = in.read();
        if (value >= 0) {
            out.write(value);
            progress.accept(1);
        }
        return value;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        int count = in.read(bytes, offset, length);
        if (count > 0) {
            out.write(bytes, offset, count);
            progress.accept(count);
        }
        return count;
    }

    @Override
    public long skip(long count) throws IOException {
        throw new UnsupportedOperationException("skipped bytes would not be copied");
    }

    @Override
    public void close() {
        // closed by the code that opened the streams
    }
}
