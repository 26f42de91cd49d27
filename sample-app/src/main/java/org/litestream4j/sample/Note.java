package org.litestream4j.sample;

import java.time.Instant;

/** A note as it is kept. */
record Note(long id, String text, Instant createdAt) {}
