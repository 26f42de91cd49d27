package org.litestream4j.ltx;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The encoded page index of a file, collected frame by frame: about eight bytes per page, in chunks that are never copied. */
final class PageIndexBytes {

    static final int SIZE_FIELD = Long.BYTES;

    private static final int FIRST_CHUNK = 1 << 10;
    private static final int LAST_CHUNK = 1 << 20;
    private static final int MAX_ENTRY = 3 * 10;

    private final List<Chunk> chunks = new ArrayList<>();
    private Chunk last = newChunk(FIRST_CHUNK);

    void add(long pgno, long offset, long frameSize) {
        reserve();
        last.putVarint(pgno);
        last.putVarint(offset);
        last.putVarint(frameSize);
    }

    /** Appends the 0 that ends the index. */
    void end() {
        reserve();
        last.putVarint(0);
    }

    long size() {
        long size = 0;
        for (Chunk chunk : chunks) {
            size += chunk.length;
        }
        return size;
    }

    /** Passes all bytes to the sink, in order. */
    void forEach(Sink sink) throws IOException {
        for (Chunk chunk : chunks) {
            sink.accept(chunk.bytes, chunk.length);
        }
    }

    private void reserve() {
        int capacity = last.bytes.length;
        if (capacity - last.length < MAX_ENTRY) {
            last = newChunk(Math.min(capacity * 2, LAST_CHUNK));
        }
    }

    private Chunk newChunk(int capacity) {
        Chunk chunk = new Chunk(capacity);
        chunks.add(chunk);
        return chunk;
    }

    interface Sink {
        void accept(byte[] bytes, int length) throws IOException;
    }

    private static final class Chunk {
        private final byte[] bytes;
        private int length;

        Chunk(int capacity) {
            bytes = new byte[capacity];
        }

        void putVarint(long value) {
            long rest = value;
            while ((rest & ~0x7FL) != 0) {
                bytes[length++] = (byte) (rest | 0x80);
                rest >>>= 7;
            }
            bytes[length++] = (byte) rest;
        }
    }
}
