package org.litestream4j.internal.pages;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A local file with all pages of one state. Other states read from it the pages that they have in the same files of the
 * replica, which proves that these are the same pages, whatever has happened to the replica since. Mapped, as an interrupted
 * reader would close a channel. Immutable, but for the pages that are still missing.
 */
final class LocalImage {

    private static final long SLICE = 1L << 30;

    private final State state;
    private final MappedByteBuffer[] slices;

    /** Returns whether the page at a place of the state is there; null if all are. */
    private final @Nullable Predicate<PageLocation> filled;

    private LocalImage(State state, MappedByteBuffer[] slices, @Nullable Predicate<PageLocation> filled) {
        this.state = state;
        this.slices = slices;
        this.filled = filled;
    }

    /**
     * Maps a file.
     *
     * @param state state whose pages the file contains
     */
    static LocalImage open(Path file, State state) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return map(channel, file, state, null);
        }
    }

    /**
     * Maps an open file.
     *
     * @param filled returns whether the page at a place of the state is there; null if all are
     */
    static LocalImage map(FileChannel channel, Path file, State state, @Nullable Predicate<PageLocation> filled)
            throws IOException {
        long size = state.commit() * state.pageSize();
        if (channel.size() != size) {
            throw new IOException(file + " has " + channel.size() + " bytes instead of " + size);
        }
        MappedByteBuffer[] slices = new MappedByteBuffer[(int) ((size + SLICE - 1) / SLICE)];
        for (int i = 0; i < slices.length; i++) {
            slices[i] = channel.map(MapMode.READ_ONLY, i * SLICE, Math.min(SLICE, size - i * SLICE));
        }
        return new LocalImage(state, slices, filled);
    }

    /** Returns the state whose pages the file contains. */
    State state() {
        return state;
    }

    /** Returns whether all pages are there. */
    boolean isComplete() {
        return filled == null;
    }

    /**
     * Returns whether a page of another state is the same here.
     *
     * @param place where the other state has the page
     */
    boolean holds(PageLocation place, long pgno) {
        if (pgno > state.commit()) {
            return false;
        }
        PageLocation here = state.layers().find(pgno);
        return here != null && here.isSameAs(place) && (filled == null || filled.test(here));
    }

    /** Copies bytes of a page. */
    void copy(long pgno, int within, int count, ByteBuffer target) {
        long offset = (pgno - 1) * state.pageSize() + within;
        int at = target.position();
        target.put(at, slices[(int) (offset / SLICE)], (int) (offset % SLICE), count);
        target.position(at + count);
    }
}
