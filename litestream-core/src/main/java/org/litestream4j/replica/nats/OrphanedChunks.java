package org.litestream4j.replica.nats;

import io.nats.client.Message;
import io.nats.client.api.ObjectInfo;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.RequestListener.Operation;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds chunks that no object describes, left by an upload or a deletion that was killed, and purges them: those of the
 * whole bucket, as chunks do not tell their path. Only chunks that are older than a day, by the server's time of the
 * last one: an upload may be under way. Thread-safe.
 */
final class OrphanedChunks {

    static final Duration AGE = Duration.ofDays(1);

    private static final Logger LOG = LoggerFactory.getLogger(OrphanedChunks.class);

    private final NatsBucket bucket;
    private final Clock clock;
    private final AtomicReference<@Nullable Instant> lastRun = new AtomicReference<>();

    OrphanedChunks(NatsBucket bucket, Clock clock) {
        this.bucket = bucket;
        this.clock = clock;
    }

    /** At most once in a day. */
    void purgeIfDue() {
        Instant now = clock.instant();
        Instant last = lastRun.get();
        if ((last != null && now.isBefore(last.plus(AGE))) || !lastRun.compareAndSet(last, now)) {
            return;
        }
        try {
            int purged = purge(now.minus(AGE));
            if (purged > 0) {
                LOG.info(
                        "Purged chunks of unfinished uploads replica={} uploads={}",
                        bucket.settings().url(),
                        purged);
            }
        } catch (IOException e) { // a side job: the deletion that it went along with was done
            LOG.warn(
                    "Could not look for chunks of unfinished uploads replica={} reason={}",
                    bucket.settings().url(),
                    e.getMessage());
        }
    }

    private int purge(Instant before) throws IOException {
        // Chunks first: an object that is described later than that is younger than its chunks may be.
        Collector old = new Collector(before);
        new StreamScan(bucket).run(bucket.chunkSubject(">"), StreamScan.Kind.NEWEST_HEADERS, old);
        if (old.nuids.isEmpty()) {
            return 0;
        }
        Described described = new Described(old.nuids);
        new StreamScan(bucket).run("$O." + bucket.settings().bucket() + ".M.>", StreamScan.Kind.NEWEST, described);
        for (String nuid : described.orphans) {
            bucket.purgeChunks(nuid, Operation.DELETE);
        }
        return described.orphans.size();
    }

    private static String lastToken(String subject) {
        return subject.substring(subject.lastIndexOf('.') + 1);
    }

    /** The uploads whose last chunk is old. */
    private static final class Collector implements StreamScan.Sink {

        private final Instant before;
        private final Set<String> nuids = new HashSet<>();

        Collector(Instant before) {
            this.before = before;
        }

        @Override
        public void begin() {
            nuids.clear();
        }

        @Override
        public void take(Message message) {
            String nuid = lastToken(message.getSubject());
            if (message.metaData().timestamp().toInstant().isBefore(before)) {
                nuids.add(nuid);
            } else {
                nuids.remove(nuid);
            }
        }
    }

    /** Leaves those that no object describes. */
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
            } catch (RuntimeException e) { // it may describe any chunks: better purge none
                throw new IOException("an object's description cannot be read", e);
            }
        }
    }
}
