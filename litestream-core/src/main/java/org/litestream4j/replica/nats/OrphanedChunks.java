package org.litestream4j.replica.nats;

import io.nats.client.Message;
import io.nats.client.api.ObjectInfo;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.RequestListener.Operation;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds and purges chunks without a description, left by an upload or a deletion that was killed. Covers the whole
 * bucket, because chunks do not contain their path. Purges only uploads whose last chunk was stored a day before the
 * newest chunk of the bucket, both by the server's time: other uploads may be running, and clients' clocks may be
 * wrong. Thread-safe.
 */
final class OrphanedChunks {

    static final Duration AGE = Duration.ofDays(1);

    private static final Logger LOG = LoggerFactory.getLogger(OrphanedChunks.class);

    private final NatsBucket bucket;
    private final Clock clock;
    private final Duration age;
    private final AtomicReference<@Nullable Instant> lastRun = new AtomicReference<>();

    /** @param age minimum age of the last chunk of an upload, relative to the newest chunk of the bucket */
    OrphanedChunks(NatsBucket bucket, Clock clock, Duration age) {
        this.bucket = bucket;
        this.clock = clock;
        this.age = age;
    }

    /** Purges at most once a day. */
    void purgeIfDue() {
        Instant now = clock.instant();
        Instant last = lastRun.get();
        if ((last != null && now.isBefore(last.plus(AGE))) || !lastRun.compareAndSet(last, now)) {
            return;
        }
        try {
            int purged = purge();
            if (purged > 0) {
                LOG.info(
                        "purged chunks of unfinished uploads: replica={} uploads={}",
                        bucket.settings().url(),
                        purged);
            }
        } catch (IOException e) { // must not fail the deletion that triggered it, which is done
            LOG.warn(
                    "cannot list chunks of unfinished uploads: replica={} reason={}",
                    bucket.settings().url(),
                    e.getMessage());
        }
    }

    private int purge() throws IOException {
        // Chunks first: objects described after this scan have chunks that are younger than the limit.
        Collector chunks = new Collector();
        new StreamScan(bucket).run(bucket.chunkSubject(">"), StreamScan.Kind.NEWEST_HEADERS, chunks);
        Set<String> old = chunks.olderThan(age);
        if (old.isEmpty()) {
            return 0;
        }
        Described described = new Described(old);
        new StreamScan(bucket).run("$O." + bucket.settings().bucket() + ".M.>", StreamScan.Kind.NEWEST, described);
        for (String nuid : described.orphans) {
            bucket.purgeChunks(nuid, Operation.DELETE);
        }
        return described.orphans.size();
    }

    private static String lastToken(String subject) {
        return subject.substring(subject.lastIndexOf('.') + 1);
    }

    /** Collects the time at which the last chunk of each upload was stored, by the server's time. */
    private static final class Collector implements StreamScan.Sink {

        private final Map<String, Instant> lasts = new HashMap<>();
        private Instant newest = Instant.MIN;

        @Override
        public void begin() {
            lasts.clear();
            newest = Instant.MIN;
        }

        Set<String> olderThan(Duration age) {
            Set<String> old = new HashSet<>();
            lasts.forEach((nuid, last) -> {
                if (last.isBefore(newest.minus(age))) {
                    old.add(nuid);
                }
            });
            return old;
        }

        @Override
        public void take(Message message) {
            Instant stored = message.metaData().timestamp().toInstant();
            lasts.merge(lastToken(message.getSubject()), stored, (one, other) -> one.isAfter(other) ? one : other);
            newest = newest.isAfter(stored) ? newest : stored;
        }
    }

    /** Removes uploads that have a description. */
    private static final class Described implements StreamScan.Sink {

        private final Set<String> all;
        private final Set<String> orphans = new HashSet<>();

        Described(Set<String> all) {
            this.all = all;
        }

        @Override
        public void begin() {
            orphans.clear();
            orphans.addAll(all);
        }

        @Override
        public void take(Message message) throws IOException {
            try {
                ObjectInfo info = new ObjectInfo(message);
                if (!info.isDeleted()) {
                    orphans.remove(info.getNuid());
                }
            } catch (RuntimeException e) { // may describe any chunks: purge none
                throw new IOException("an object's description cannot be read", e);
            }
        }
    }
}
