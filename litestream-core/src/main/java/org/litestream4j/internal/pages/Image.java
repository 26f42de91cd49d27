package org.litestream4j.internal.pages;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;

/**
 * A local file with all pages of one state, from which all states of the same history read the pages that they share with
 * it. Mapped, as an interrupted reader would close a channel. Immutable.
 */
final class Image {

    private static final long SLICE = 1L << 30;

    private final int lineage;
    private final CopyRecord copy;

    /** Where the pages of the state are on the replica; null if that is not known any more. */
    private final @Nullable Layers layers;

    private final MappedByteBuffer[] slices;

    private Image(int lineage, CopyRecord copy, @Nullable Layers layers, MappedByteBuffer[] slices) {
        this.lineage = lineage;
        this.copy = copy;
        this.layers = layers;
        this.slices = slices;
    }

    /**
     * Maps a file.
     *
     * @param copy record of the file
     * @param layers where the pages of its state are; without them, only newer states read from it
     */
    static Image open(Path folder, CopyRecord copy, int lineage, @Nullable Layers layers) throws IOException {
        Path file = folder.resolve(copy.file());
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = copy.pages() * copy.pageSize();
            if (channel.size() != size) {
                throw new IOException(file + " has " + channel.size() + " bytes instead of " + size);
            }
            MappedByteBuffer[] slices = new MappedByteBuffer[(int) ((size + SLICE - 1) / SLICE)];
            for (int i = 0; i < slices.length; i++) {
                slices[i] = channel.map(MapMode.READ_ONLY, i * SLICE, Math.min(SLICE, size - i * SLICE));
            }
            return new Image(lineage, copy, layers, slices);
        }
    }

    int lineage() {
        return lineage;
    }

    Txid txid() {
        return copy.txid();
    }

    int pageSize() {
        return copy.pageSize();
    }

    long pages() {
        return copy.pages();
    }

    /**
     * Returns whether a page of another state is the same here: it has not changed between the two.
     *
     * @param place where the other state has the page
     */
    boolean holds(State other, Place place, long pgno) {
        if (other.lineage() != lineage || other.pageSize() != pageSize() || pgno > pages()) {
            return false;
        }
        if (!other.txid().isBefore(txid())) {
            return !place.file().header().maxTxid().isAfter(txid());
        }
        Place here = layers == null ? null : layers.find(pgno);
        return here != null && !here.file().header().maxTxid().isAfter(other.txid());
    }

    /** Copies bytes of a page. */
    void copy(long pgno, int within, int count, ByteBuffer target) {
        long offset = (pgno - 1) * pageSize() + within;
        int at = target.position();
        target.put(at, slices[(int) (offset / SLICE)], (int) (offset % SLICE), count);
        target.position(at + count);
    }
}
