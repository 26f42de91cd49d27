package org.litestream4j.restore;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** What the readers of one attempt have done so far. Thread-safe. */
final class RestoreCounters {

    final AtomicLong bytesRead = new AtomicLong();

    final AtomicLong pagesInPlace = new AtomicLong();

    final AtomicInteger filesVerified = new AtomicInteger();
}
