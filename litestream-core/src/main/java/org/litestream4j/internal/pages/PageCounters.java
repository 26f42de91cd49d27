package org.litestream4j.internal.pages;

import java.util.concurrent.atomic.LongAdder;

/** What was asked of the replica and of the cache. Thread-safe. */
final class PageCounters {

    final LongAdder requests = new LongAdder();

    final LongAdder bytesRead = new LongAdder();

    final LongAdder cacheHits = new LongAdder();

    final LongAdder cacheMisses = new LongAdder();
}
