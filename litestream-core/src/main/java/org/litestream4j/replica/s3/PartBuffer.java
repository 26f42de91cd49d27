package org.litestream4j.replica.s3;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Content of one request, in memory. Grows by small blocks: a small file takes little memory, and a large file needs no
 * large contiguous array. Filled by one thread, then read by another.
 */
final class PartBuffer {

    private static final int BLOCK = 64 << 10;

    private final int capacity;

    private final List<byte[]> blocks = new ArrayList<>();

    private int size;

    /** @param capacity capacity in bytes */
    PartBuffer(int capacity) {
        this.capacity = capacity;
    }

    int size() {
        return size;
    }

    boolean isFull() {
        return size == capacity;
    }

    /** Appends as many bytes as fit and returns their number. */
    int append(byte[] bytes, int offset, int length) {
        int taken = 0;
        while (taken < length && size < capacity) {
            int inBlock = size % BLOCK;
            if (inBlock == 0) {
                blocks.add(new byte[Math.min(BLOCK, capacity - size)]);
            }
            byte[] block = blocks.get(blocks.size() - 1);
            int count = Math.min(block.length - inBlock, length - taken);
            System.arraycopy(bytes, offset + taken, block, inBlock, count);
            taken += count;
            size += count;
        }
        return taken;
    }

    /** Returns the content from its beginning; called for each attempt. */
    InputStream open() {
        return new InputStream() {
            private int position;

            private int mark;

            @Override
            public int read() {
                return position == size ? -1 : blocks.get(position / BLOCK)[position++ % BLOCK] & 0xFF;
            }

            @Override
            public int read(byte[] into, int offset, int length) {
                if (length == 0) {
                    return 0;
                }
                if (position == size) {
                    return -1;
                }
                int inBlock = position % BLOCK;
                int count = Math.min(Math.min(length, size - position), BLOCK - inBlock);
                System.arraycopy(blocks.get(position / BLOCK), inBlock, into, offset, count);
                position += count;
                return count;
            }

            @Override
            public int available() {
                return size - position;
            }

            @Override
            public boolean markSupported() {
                return true;
            }

            @Override
            public void mark(int limit) {
                mark = position;
            }

            @Override
            public void reset() {
                position = mark;
            }
        };
    }
}
