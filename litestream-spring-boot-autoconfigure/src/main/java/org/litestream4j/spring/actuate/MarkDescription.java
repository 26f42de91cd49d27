package org.litestream4j.spring.actuate;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.Mark;

/**
 * A mark of a database's replica.
 *
 * @param txid marked transaction, 16 hexadecimal digits
 * @param timestamp time of that transaction
 * @param created time at which the mark was set
 * @param expires time from which the mark keeps nothing; null if it does not expire
 */
record MarkDescription(String name, String txid, Instant timestamp, Instant created, @Nullable Instant expires) {

    static MarkDescription of(Mark mark) {
        return new MarkDescription(
                mark.name(), mark.txid().toString(), mark.timestamp(), mark.created(), mark.expires());
    }
}
