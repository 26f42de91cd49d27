package org.litestream4j.internal.pages;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Decoded pages by file and entry, least recently used first out. Shared by all readers of a replica. Pages are never
 * changed. Thread-safe.
 */
final class PageCache {

    /** Approximate memory of an entry in addition to its page. */
    private static final int OVERHEAD = 112;

    private static final int STRIPES = 16;

    private final Stripe[] stripes = new Stripe[STRIPES];

    /** @param size in bytes */
    PageCache(long size) {
        for (int i = 0; i < STRIPES; i++) {
            stripes[i] = new Stripe(size / STRIPES);
        }
    }

    byte @Nullable [] get(long key) {
        return stripe(key).get(key);
    }

    void put(long key, byte[] page) {
        stripe(key).put(key, page);
    }

    boolean contains(long key) {
        return stripe(key).contains(key);
    }

    /** Returns the size of the cached pages in bytes. */
    long bytes() {
        long bytes = 0;
        for (Stripe stripe : stripes) {
            bytes += stripe.bytes();
        }
        return bytes;
    }

    private Stripe stripe(long key) {
        long mixed = key * 0x9E3779B97F4A7C15L;
        return stripes[(int) (mixed >>> 60)];
    }

    /** Guarded by itself. */
    private static final class Stripe {

        private final Map<Long, byte[]> pages = new LinkedHashMap<>(16, 0.75f, true);
        private final long size;
        private long bytes;

        Stripe(long size) {
            this.size = size;
        }

        synchronized byte @Nullable [] get(long key) {
            return pages.get(key);
        }

        synchronized boolean contains(long key) {
            return pages.containsKey(key);
        }

        synchronized void put(long key, byte[] page) {
            byte[] before = pages.put(key, page);
            bytes += page.length - (before == null ? -OVERHEAD : before.length);
            Iterator<byte[]> eldest = pages.values().iterator();
            while (bytes > size && eldest.hasNext()) {
                bytes -= eldest.next().length + OVERHEAD;
                eldest.remove();
            }
        }

        synchronized long bytes() {
            return bytes;
        }
    }
}
