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
import org.litestream4j.replica.RequestListener.RequestType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds and purges chunks without a description, left by an upload or a deletion that was killed. Covers the whole
 * bucket, because chunks do not contain their path. Other uploads may be running, and clients' clocks may be wrong: an
 * upload counts as abandoned if its last chunk was stored some time before the newest chunk of the bucket, both by the
 * server's time. For uploads of this library, that is {@link #ABANDONED}: {@link NatsUpload} gives up an upload that
 * paused for half of it, so that purged chunks are never described. For uploads of other programs, which promise
 * nothing, it is a day. Thread-safe.
 */
final class OrphanedChunks {

    /** Pause after which an upload of this library counts as abandoned. Its chunks carry it, in seconds. */
    static final Duration ABANDONED = Duration.ofMinutes(15);

    /** Header of every chunk of this library, with the number of seconds after which its upload is abandoned. */
    static final String HEADER = "Litestream-Abandoned-After";

    private static final Duration FOREIGN = Duration.ofDays(1);

    private static final Duration INTERVAL = Duration.ofDays(1);

    private static final Logger LOG = LoggerFactory.getLogger(OrphanedChunks.class);

    private final NatsBucket bucket;
    private final Clock clock;
    private final Duration age;
    private final Duration foreignAge;
    private final AtomicReference<@Nullable Instant> lastRun = new AtomicReference<>();

    /** @param age pause after which uploads of this library are abandoned */
    OrphanedChunks(NatsBucket bucket, Clock clock, Duration age) {
        this.bucket = bucket;
        this.clock = clock;
        this.age = age;
        this.foreignAge = FOREIGN;
    }

    /** Purges after a deletion, at most once a day. */
    void purgeDaily() {
        purgeAfter(INTERVAL);
    }

    /** Purges during a large upload, at most once in {@link #ABANDONED}: earlier attempts may fill the bucket. */
    void purgeForSpace() {
        purgeAfter(ABANDONED);
    }

    private void purgeAfter(Duration interval) {
        Instant now = clock.instant();
        Instant last = lastRun.get();
        if ((last != null && now.isBefore(last.plus(interval))) || !lastRun.compareAndSet(last, now)) {
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
        Set<String> old = chunks.olderThan(age, foreignAge);
        if (old.isEmpty()) {
            return 0;
        }
        String descriptions = "$O." + bucket.settings().bucket() + ".M.>";
        long newest = bucket.newestSequence(descriptions);
        Described described = new Described(old);
        new StreamScan(bucket).run(descriptions, StreamScan.Kind.NEWEST, described);
        if (described.newest < newest) { // a description that is not seen would lose its chunks
            throw new IOException("the server that lists the bucket has not caught up yet");
        }
        for (String nuid : described.orphans) {
            bucket.purgeChunks(nuid, RequestType.DELETE);
        }
        return described.orphans.size();
    }

    private static String lastToken(String subject) {
        return subject.substring(subject.lastIndexOf('.') + 1);
    }

    /** Collects the time at which the last chunk of each upload was stored, by the server's time. */
    private static final class Collector implements StreamScan.Sink {

        private final Map<String, Instant> lasts = new HashMap<>();
        private final Set<String> ours = new HashSet<>();
        private Instant newest = Instant.MIN;

        @Override
        public void begin() {
            lasts.clear();
            ours.clear();
            newest = Instant.MIN;
        }

        Set<String> olderThan(Duration age, Duration foreignAge) {
            Set<String> old = new HashSet<>();
            lasts.forEach((nuid, last) -> {
                if (last.isBefore(newest.minus(ours.contains(nuid) ? age : foreignAge))) {
                    old.add(nuid);
                }
            });
            return old;
        }

        @Override
        public void take(Message message) {
            Instant stored = message.metaData().timestamp().toInstant();
            String nuid = lastToken(message.getSubject());
            if (message.hasHeaders() && message.getHeaders().containsKey(HEADER)) {
                ours.add(nuid);
            }
            lasts.merge(nuid, stored, (one, other) -> one.isAfter(other) ? one : other);
            newest = newest.isAfter(stored) ? newest : stored;
        }
    }

    /** Removes uploads that have a description. */
    private static final class Described implements StreamScan.Sink {

        private final Set<String> all;
        private final Set<String> orphans = new HashSet<>();
        private long newest;

        Described(Set<String> all) {
            this.all = all;
        }

        @Override
        public void begin() {
            orphans.clear();
            orphans.addAll(all);
            newest = 0;
        }

        @Override
        public void take(Message message) throws IOException {
            newest = Math.max(newest, message.metaData().streamSequence());
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
