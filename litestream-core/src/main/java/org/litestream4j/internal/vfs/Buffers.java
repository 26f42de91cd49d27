package org.litestream4j.internal.vfs;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Views of the buffers into which SQLite reads pages. SQLite uses the same few again and again, and making a view is a
 * large part of a read.
 */
final class Buffers {

    private static final int SLOTS = 1024; // a power of two

    private final long[] addresses = new long[SLOTS];
    private final @Nullable ByteBuffer[] views = new ByteBuffer[SLOTS];

    /** Returns a view of all of a buffer; valid until the next call. */
    ByteBuffer view(long address, int length) {
        int slot = (int) ((address >>> 4) ^ (address >>> 12)) & (SLOTS - 1);
        ByteBuffer view = views[slot];
        if (view == null || addresses[slot] != address || view.capacity() != length) {
            view = NativeBridge.view(address, length);
            addresses[slot] = address;
            views[slot] = view;
        }
        return view.clear();
    }
}
