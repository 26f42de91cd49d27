package org.litestream4j.restore;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Counts the work of all readers of one attempt. Thread-safe. */
final class RestoreCounters {

    final AtomicLong bytesRead = new AtomicLong();

    final AtomicLong pagesInPlace = new AtomicLong();

    final AtomicInteger filesVerified = new AtomicInteger();
}
