package org.litestream4j.replica.s3;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Content of one request, in memory: grows by small blocks, so that a small file costs little and a large one needs no
 * large array (which the garbage collector would have to keep in one piece). Filled by one thread, then read by another.
 */
final class PartBuffer {

    private static final int BLOCK = 64 << 10;

    private final int capacity;

    private final List<byte[]> blocks = new ArrayList<>();

    private int size;

    /** @param capacity in bytes */
    PartBuffer(int capacity) {
        this.capacity = capacity;
    }

    int size() {
        return size;
    }

    boolean isFull() {
        return size == capacity;
    }

    /** Takes as many bytes as there is room for; returns their number. */
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

    /** The content from its beginning, for each attempt anew. */
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
