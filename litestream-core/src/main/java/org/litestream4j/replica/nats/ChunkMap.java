package org.litestream4j.replica.nats;

import java.util.Arrays;

/**
 * Positions of an object's chunks: their sequences in the stream and their offsets in the file. Takes 16 bytes a chunk.
 * Not thread-safe while it grows.
 */
final class ChunkMap {

    private long[] sequences = new long[16];

    /** One more entry than chunks; the last one is the size. */
    private long[] offsets = new long[17];

    private int count;

    void add(long sequence, long length) {
        if (count == sequences.length) {
            sequences = Arrays.copyOf(sequences, count * 2);
            offsets = Arrays.copyOf(offsets, count * 2 + 1);
        }
        sequences[count] = sequence;
        offsets[count + 1] = offsets[count] + length;
        count++;
    }

    int count() {
        return count;
    }

    long size() {
        return offsets[count];
    }

    long sequence(int chunk) {
        return sequences[chunk];
    }

    /** @param chunk index up to {@link #count}, which returns the size */
    long offset(int chunk) {
        return offsets[chunk];
    }

    int length(int chunk) {
        return Math.toIntExact(offsets[chunk + 1] - offsets[chunk]);
    }

    /** Returns the chunk that contains the byte at an offset below the size. */
    int chunkAt(long offset) {
        int found = Arrays.binarySearch(offsets, 0, count + 1, offset);
        if (found < 0) {
            return -found - 2;
        }
        while (found + 1 < count && offsets[found + 1] == offset) { // empty chunks
            found++;
        }
        return found;
    }
}
