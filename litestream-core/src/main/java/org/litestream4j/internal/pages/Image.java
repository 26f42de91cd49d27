package org.litestream4j.internal.pages;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A local file with all pages of one state, from which all states of the same history read the pages that they share with
 * it. Mapped, as an interrupted reader would close a channel. Immutable.
 */
final class Image {

    private static final long SLICE = 1L << 30;

    private final State state;
    private final MappedByteBuffer[] slices;

    private Image(State state, MappedByteBuffer[] slices) {
        this.state = state;
        this.slices = slices;
    }

    /** Maps a file. */
    static Image open(Path file, State state) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = state.commit() * state.pageSize();
            if (channel.size() != size) {
                throw new IOException(file + " has " + channel.size() + " bytes instead of " + size);
            }
            MappedByteBuffer[] slices = new MappedByteBuffer[(int) ((size + SLICE - 1) / SLICE)];
            for (int i = 0; i < slices.length; i++) {
                slices[i] = channel.map(MapMode.READ_ONLY, i * SLICE, Math.min(SLICE, size - i * SLICE));
            }
            return new Image(state, slices);
        }
    }

    State state() {
        return state;
    }

    /**
     * Returns whether a page of another state is the same here: it has not changed between the two.
     *
     * @param place where the other state has the page
     */
    boolean holds(State other, Place place, long pgno) {
        if (other.lineage() != state.lineage() || other.pageSize() != state.pageSize() || pgno > state.commit()) {
            return false;
        }
        if (!other.txid().isBefore(state.txid())) {
            return !place.file().header().maxTxid().isAfter(state.txid());
        }
        Place here = state.layers().find(pgno);
        return here != null && !here.file().header().maxTxid().isAfter(other.txid());
    }

    /** Copies bytes of a page. */
    void copy(long pgno, int within, int count, ByteBuffer target) {
        long offset = (pgno - 1) * state.pageSize() + within;
        int at = target.position();
        target.put(at, slices[(int) (offset / SLICE)], (int) (offset % SLICE), count);
        target.position(at + count);
    }
}
