package org.litestream4j.internal.engine;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.replica.Mark;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.restore.Marks;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreException.Reason;
import org.litestream4j.restore.RestoreTarget;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sets and removes the marks of one database's replica. Retention knows a mark before it is stored. Thread-safe. */
final class DatabaseMarks {

    private static final Logger log = LoggerFactory.getLogger(DatabaseMarks.class);

    /** Number of attempts: retention may delete files of the state between its choice and the mark. */
    private static final int ATTEMPTS = 3;

    private final DatabaseConfig config;
    private final ReplicaClient client;
    private final CompactionLane lane;
    private final Clock clock;

    DatabaseMarks(DatabaseConfig config, ReplicaClient client, CompactionLane lane, Clock clock) {
        this.config = config;
        this.client = client;
        this.lane = lane;
        this.clock = clock;
    }

    /** @throws RestoreException if the state cannot be restored, or if a mark of this name exists */
    Mark add(String name, RestoreTarget target, @Nullable Duration keepFor) throws IOException {
        for (int attempt = 1; ; attempt++) {
            Mark mark = Marks.plan(client, name, target, keepFor, clock);
            if (store(mark)) {
                log.info(
                        "mark set: db={} replica={} txid={} mark={} expires={}",
                        config.name(),
                        client.url(),
                        mark.txid(),
                        name,
                        mark.expires() == null ? "never" : mark.expires());
                return mark;
            }
            if (attempt == ATTEMPTS) {
                throw new IOException(client.url() + ": the files of transaction " + mark.txid()
                        + " were deleted while the mark " + name + " was set; choose a newer state");
            }
        }
    }

    /** Stores a mark. Returns whether its state can still be restored; if not, the mark is removed again. */
    private boolean store(Mark mark) throws IOException {
        boolean stored = false;
        Object token = lane.announce(mark);
        try {
            Marks.create(client, mark);
            stored = true;
            lane.markStored(token);
        } finally {
            if (!stored) {
                lane.withdrawMarks(List.of(token));
            }
        }
        try {
            Marks.plan(client, mark.name(), RestoreTarget.txid(mark.txid()), null, clock);
            return true;
        } catch (RestoreException e) {
            if (e.reason() != Reason.TXID_NOT_AVAILABLE && e.reason() != Reason.GAP) {
                throw e;
            }
            remove(mark.name());
            return false;
        }
    }

    boolean remove(String name) throws IOException {
        List<Object> known = lane.announcedMarks(name); // not those of a mark that is set again in the meantime
        boolean removed = Marks.remove(client, name);
        lane.withdrawMarks(known);
        if (removed) {
            log.info("mark removed: db={} replica={} mark={}", config.name(), client.url(), name);
        }
        return removed;
    }
}
