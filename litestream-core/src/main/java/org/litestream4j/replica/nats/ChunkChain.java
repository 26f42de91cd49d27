package org.litestream4j.replica.nats;

import java.io.IOException;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Publishes the chunks of one object in order, some at a time. The stream takes a chunk only right behind its
 * predecessor: none can be lost, doubled or out of order, whatever happens to the connection or the servers in between.
 *
 * <p>To send a chunk before its predecessor is acknowledged we foretell where that one will be stored: one further than
 * the one before. If others write to the bucket at the same time this fails, costs a repetition and makes us send fewer
 * at a time. A repetition of what had been stored after all is recognised by the server, for some minutes. Not
 * thread-safe.
 */
final class ChunkChain {

    /** Of {@link NatsBucket#CHUNK_SIZE} bytes each: 1 MiB. */
    private static final int MOST_AT_ONCE = 8;

    private final NatsBucket bucket;
    private final String subject;

    /** Sent, not yet acknowledged; in order. */
    private final ArrayDeque<Chunk> waiting = new ArrayDeque<>();

    private int atOnce = MOST_AT_ONCE;

    /** Of the last acknowledged chunk; 0 if there is none. */
    private long lastSequence;

    private long acknowledged;

    ChunkChain(NatsBucket bucket, String nuid) {
        this.bucket = bucket;
        subject = bucket.chunkSubject(nuid);
    }

    /** @param data is kept until it is acknowledged */
    void append(byte[] data) throws IOException {
        while (!waiting.isEmpty() && (waiting.size() >= atOnce || waiting.getLast().foretold == 0)) {
            settleFirst();
        }
        long number = acknowledged + waiting.size();
        long predecessor = waiting.isEmpty() ? lastSequence : waiting.getLast().foretold;
        NatsLink.Call sent = null;
        try {
            sent = bucket.sendChunk(subject, number, predecessor, data);
        } catch (LostException e) {
            // Settling sends it again.
        }
        waiting.addLast(new Chunk(number, data, sent, predecessor == 0 ? 0 : predecessor + 1));
    }

    /** Waits until all chunks are stored; returns their number. */
    long finish() throws IOException {
        while (!waiting.isEmpty()) {
            settleFirst();
        }
        return acknowledged;
    }

    boolean isUsed() {
        return acknowledged > 0 || !waiting.isEmpty();
    }

    private void settleFirst() throws IOException {
        Chunk first = waiting.getFirst();
        if (first.sent != null) {
            try {
                long sequence = bucket.stored(first.sent, first.data.length);
                if (sequence > 0) {
                    advance(sequence);
                    return;
                }
                atOnce = Math.max(1, atOnce / 2);
            } catch (LostException e) {
                // It may be stored or not.
            }
        }
        repeatAll();
    }

    private void advance(long sequence) {
        waiting.removeFirst();
        lastSequence = sequence;
        acknowledged++;
    }

    /** Sends what is not acknowledged again, one after the other. */
    private void repeatAll() throws IOException {
        while (!waiting.isEmpty()) {
            advance(repeat(waiting.getFirst()));
        }
    }

    private long repeat(Chunk chunk) throws IOException {
        long start = System.nanoTime();
        while (true) {
            try {
                NatsLink.Call sent = bucket.sendChunk(subject, chunk.number, lastSequence, chunk.data);
                long sequence = bucket.stored(sent, chunk.data.length);
                if (sequence > 0) {
                    return sequence;
                }
                throw new IOException(bucket.settings().url() + ": chunk " + chunk.number
                        + " of an upload is not where it was left; the upload must begin again");
            } catch (LostException e) {
                if (!bucket.link().mayRepeat(start, e)) {
                    throw e;
                }
            }
        }
    }

    private static final class Chunk {

        private final long number;
        private final byte[] data;
        private final NatsLink.@Nullable Call sent;

        /** The sequence at which it should be stored; 0 if that cannot be known. */
        private final long foretold;

        Chunk(long number, byte[] data, NatsLink.@Nullable Call sent, long foretold) {
            this.number = number;
            this.data = data;
            this.sent = sent;
            this.foretold = foretold;
        }
    }
}
