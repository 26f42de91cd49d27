package org.litestream4j.replica.nats;

import io.nats.client.NUID;
import io.nats.client.api.ObjectInfo;
import io.nats.client.impl.Headers;
import java.io.IOException;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.Sha256;
import org.litestream4j.ltx.DatabaseChecksum;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.RequestListener.RequestType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores chunks as they fill, then the description under the condition that there is none yet, so that one of several
 * writers succeeds. Not thread-safe.
 */
final class NatsUpload extends ReplicaUpload {

    private static final Logger LOG = LoggerFactory.getLogger(NatsUpload.class);

    /** Number of chunks from which an upload is large: 8 MiB. */
    private static final int LARGE = 64;

    private final NatsBucket bucket;
    private final int level;
    private final LtxFileName name;
    private final Instant timestamp;
    private final OptionalLong databaseChecksum;
    private final String objectName;
    private final OrphanedChunks orphans;
    private final Clock clock;
    private final String nuid = NUID.nextGlobal();
    private final ChunkWriter writer;
    private final MessageDigest digest = Sha256.digest();

    private byte @Nullable [] chunk;
    private int filled;
    private long size;
    private long stored;

    /** Time before the last chunk was sent, by both clocks: one may jump, the other may stand still. */
    private Instant lastWrite;

    private long lastWriteNanos;

    /** Whether the chunks belong, or may belong, to a visible object and must be kept. */
    private boolean kept;

    private boolean ended;

    NatsUpload(
            NatsBucket bucket,
            int level,
            LtxFileName name,
            Instant timestamp,
            OptionalLong databaseChecksum,
            String objectName,
            OrphanedChunks orphans,
            Clock clock) {
        this.bucket = bucket;
        this.level = level;
        this.name = name;
        this.timestamp = timestamp;
        this.databaseChecksum = databaseChecksum;
        this.objectName = objectName;
        this.orphans = orphans;
        this.clock = clock;
        writer = new ChunkWriter(bucket, nuid);
        lastWrite = clock.instant();
        lastWriteNanos = System.nanoTime();
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        checkOpen();
        int done = 0;
        while (done < length) {
            byte[] target = chunk;
            if (target == null) {
                target = new byte[NatsBucket.CHUNK_SIZE];
                chunk = target;
            }
            int count = Math.min(length - done, target.length - filled);
            System.arraycopy(bytes, offset + done, target, filled, count);
            filled += count;
            done += count;
            if (filled == target.length) {
                appendChunk(target);
            }
        }
    }

    private void appendChunk(byte[] data) throws IOException {
        chunk = null;
        filled = 0;
        size += data.length;
        digest.update(data);
        if (stored == 0) {
            lastWrite = clock.instant(); // no pause before the first one matters
            lastWriteNanos = System.nanoTime();
        }
        Instant begun = clock.instant();
        long begunNanos = System.nanoTime();
        writer.append(data);
        requireNoPause();
        lastWrite = begun;
        lastWriteNanos = begunNanos;
        if (++stored == LARGE) {
            orphans.purgeForSpace();
        }
    }

    /** Fails if so much time has passed since the last chunk that other clients may soon purge the chunks. */
    private void requireNoPause() throws IOException {
        Duration pause = Duration.between(lastWrite, clock.instant());
        Duration running = Duration.ofNanos(System.nanoTime() - lastWriteNanos);
        Duration most = OrphanedChunks.ABANDONED.dividedBy(2);
        if (pause.compareTo(most) > 0 || running.compareTo(most) > 0) {
            throw new IOException(bucket.settings().url() + ": the upload of " + objectName
                    + " paused for so long that its chunks may count as abandoned; it is repeated");
        }
    }

    @Override
    public LtxFileInfo publish() throws IOException {
        checkOpen();
        byte[] rest = chunk;
        if (rest != null && filled > 0) {
            appendChunk(Arrays.copyOf(rest, filled));
        }
        long chunks = writer.finish();
        String written = ChunkReader.written(digest);
        ObjectInfo description = ObjectInfo.builder(bucket.settings().bucket(), objectName)
                .nuid(nuid)
                .size(size)
                .chunks(chunks)
                .chunkSize(NatsBucket.CHUNK_SIZE)
                .digest(written)
                .headers(headers())
                .build();
        publish(description, written);
        ended = true;
        return new LtxFileInfo(level, name, size, timestamp, true);
    }

    private Headers headers() {
        Headers headers = new Headers().put(StoredObject.TIMESTAMP_HEADER, StoredObject.format(timestamp));
        databaseChecksum.ifPresent(
                checksum -> headers.put(StoredObject.CHECKSUM_HEADER, DatabaseChecksum.text(checksum)));
        return headers;
    }

    private void publish(ObjectInfo description, String written) throws IOException {
        long predecessor = 0;
        long start = System.nanoTime();
        boolean inDoubt = false;
        while (true) {
            requireNoPause();
            try {
                kept = true; // until the outcome is known: a visible object must never lose its chunks
                if (bucket.describe(objectName, description, predecessor) > 0) {
                    return;
                }
            } catch (LostException e) {
                if (!bucket.link().mayRepeat(start, e)) {
                    throw e;
                }
                inDoubt = true; // a sent message may arrive even later
                continue; // repeat: if it was stored, the response reports an existing description
            }
            StoredObject other = bucket.find(objectName);
            if (other != null && other.nuid().equals(nuid)) {
                return;
            }
            kept = inDoubt; // rejected, and the existing object is not from this upload
            if (other == null || other.deleted()) {
                predecessor = other == null ? 0 : other.sequence(); // a tombstone, or just deleted
                continue;
            }
            boolean same = other.size() == size && ChunkReader.sameDigest(other.digest(), written);
            ended = true;
            discard();
            if (same) {
                return;
            }
            throw new ReplicaConflictException(
                    bucket.settings().url(),
                    objectName + " exists already with other content (" + other.size() + " bytes, written "
                            + other.stored() + ")",
                    "find out who else writes to this replica",
                    null);
        }
    }

    private void checkOpen() throws IOException {
        if (ended) {
            throw new IOException("the upload of " + objectName + " has ended");
        }
    }

    @Override
    public void close() {
        if (!ended) {
            ended = true;
            discard();
        }
    }

    private void discard() {
        chunk = null;
        if (kept || !writer.isUsed()) {
            return;
        }
        try {
            bucket.purgeChunks(nuid, RequestType.MULTIPART_ABORT);
            bucket.leavesChunks(false);
        } catch (IOException e) {
            if (bucket.leavesChunks(true)) {
                return; // already logged for the first of several attempts
            }
            LOG.warn(
                    "chunks of an unfinished upload remain until a later clean-up: replica={} file={} reason={}",
                    bucket.settings().url(),
                    objectName,
                    e.getMessage());
        }
    }
}
