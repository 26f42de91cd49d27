package org.litestream4j.internal.pages;

import java.time.Duration;
import java.time.Instant;
import org.litestream4j.ltx.Txid;

/**
 * One state of a database on its replica.
 *
 * @param version distinguishes states: equal only for the same content; grows by at least 1 with every new state that a
 *     source shows, also if a replica that was begun anew repeats a TXID
 * @param timestamp when the newest transaction of the state was captured, as its file's header says
 * @param pageSize in bytes, a power of two from 512 to 65,536
 * @param pageCount size of the database in pages, at least 1
 * @param lag time since the replica was last known to hold nothing newer
 */
public record StateInfo(Txid txid, long version, Instant timestamp, int pageSize, long pageCount, Duration lag) {}
