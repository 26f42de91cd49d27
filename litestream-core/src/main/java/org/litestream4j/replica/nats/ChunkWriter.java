package org.litestream4j.replica.nats;

import java.io.IOException;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Publishes the chunks of one object, several at a time, and verifies that the stream contains each of them once and in
 * order: every acknowledgement contains the sequence of its chunk, and the sequences must increase. A chunk without
 * acknowledgement is sent again with the same message id, by which the server recognizes duplicates; in that case, the
 * stored messages are also counted. No chunk is sent over a new connection while an earlier chunk may have been lost
 * with the old one. Not thread-safe.
 */
final class ChunkWriter {

    /** Maximum number of unacknowledged chunks of {@link NatsBucket#CHUNK_SIZE} bytes each: 1 MiB. */
    private static final int MAX_UNACKNOWLEDGED = 8;

    private static final int ATTEMPTS = 3;

    private final NatsBucket bucket;
    private final String subject;

    /** Chunks that were sent and not yet acknowledged, in order. */
    private final ArrayDeque<Chunk> waiting = new ArrayDeque<>();

    /** Sequence of the last acknowledged chunk; 0 if there is none. */
    private long lastSequence;

    private long acknowledged;

    private long size;

    private boolean lostSome;

    ChunkWriter(NatsBucket bucket, String nuid) {
        this.bucket = bucket;
        subject = bucket.chunkSubject(nuid);
    }

    /** @param data content, which must not change until it is acknowledged */
    void append(byte[] data) throws IOException {
        while (waiting.size() >= MAX_UNACKNOWLEDGED) {
            awaitFirst();
        }
        long number = acknowledged + waiting.size();
        NatsLink.Call sent = null;
        NatsLink.Call earlier = waiting.isEmpty() ? null : waiting.getLast().sent;
        if (waiting.isEmpty() || earlier != null) {
            try {
                sent = bucket.sendChunk(subject, number, data, earlier);
            } catch (LostException e) {
                // Settling sends it again, in order.
            }
        }
        waiting.addLast(new Chunk(number, data, sent));
        size += data.length;
    }

    /** Waits until all chunks are stored and returns their number. */
    long finish() throws IOException {
        while (!waiting.isEmpty()) {
            awaitFirst();
        }
        if (lostSome || acknowledged > 1) { // another client may have purged the first ones as left over
            countStored();
        }
        return acknowledged;
    }

    private void countStored() throws IOException {
        for (int attempt = 1; ; attempt++) {
            ChunkMap stored = ObjectReader.scan(bucket, subject);
            if (stored.count() == acknowledged && stored.size() == size) {
                return;
            }
            if (lostSome || attempt == ATTEMPTS) { // otherwise a server of the cluster may not have caught up yet
                throw disorder();
            }
        }
    }

    boolean isUsed() {
        return acknowledged > 0 || !waiting.isEmpty();
    }

    private void awaitFirst() throws IOException {
        Chunk first = waiting.getFirst();
        long sequence = 0;
        if (first.sent != null) {
            try {
                sequence = bucket.stored(first.sent, first.data.length);
            } catch (LostException e) {
                // The chunk may or may not be stored.
            }
        }
        if (sequence == 0) {
            lostSome = true;
            sequence = repeat(first);
        }
        if (sequence <= lastSequence) {
            throw disorder();
        }
        lastSequence = sequence;
        acknowledged++;
        waiting.removeFirst();
    }

    private long repeat(Chunk chunk) throws IOException {
        long start = System.nanoTime();
        while (true) {
            try {
                return bucket.stored(bucket.sendChunk(subject, chunk.number, chunk.data, null), chunk.data.length);
            } catch (LostException e) {
                if (!bucket.link().mayRepeat(start, e)) {
                    throw e;
                }
            }
        }
    }

    private IOException disorder() {
        return new IOException(
                bucket.settings().url() + ": the chunks of an upload are out of order or incomplete, after a"
                        + " broken connection or because another program purged them; the upload is repeated");
    }

    private static final class Chunk {

        private final long number;
        private final byte[] data;
        private final NatsLink.@Nullable Call sent;

        Chunk(long number, byte[] data, NatsLink.@Nullable Call sent) {
            this.number = number;
            this.data = data;
            this.sent = sent;
        }
    }
}
