package org.litestream4j.replica.nats;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.Sha256;
import org.litestream4j.replica.ReplicaFileDamagedException;
import org.litestream4j.replica.ReplicaFileNotFoundException;

/**
 * Stream of an object's bytes. Fetches the chunks that contain them, a few in advance. Each chunk is checked against
 * the map. If the whole object is read, its content is checked against its digest before the last chunk is returned.
 * Not thread-safe.
 */
final class ChunkReader extends InputStream {

    /** Maximum total size of the chunks fetched in advance, in bytes; at least one chunk is fetched. */
    private static final int MAX_READ_AHEAD_BYTES = 1024 * 1024;

    /** Maximum number of chunks fetched in advance. Litestream splits merged files into chunks of some hundred bytes. */
    private static final int MAX_READ_AHEAD_CHUNKS = 256;

    private static final String DIGEST = "SHA-256=";

    private final NatsBucket bucket;
    private final String objectName;
    private final StoredObject object;
    private final ChunkMap map;
    private final String subject;
    private final long end;

    private final Runnable onMissing;

    private final ArrayDeque<NatsLink.Call> ahead = new ArrayDeque<>();

    private final @Nullable MessageDigest digest;

    /** Offset of the next byte to return. */
    private long position;

    private int nextToSend;
    private int nextToTake;
    private byte[] chunk = new byte[0];

    /** Offset of the current chunk's first byte in the file. */
    private long chunkOffset;

    private boolean closed;

    /**
     * @param end offset after the last byte, at most the size
     * @param onMissing called if a chunk is not at the position in the map
     */
    ChunkReader(
            NatsBucket bucket,
            String objectName,
            StoredObject object,
            ChunkMap map,
            long offset,
            long end,
            Runnable onMissing) {
        this.onMissing = onMissing;
        this.bucket = bucket;
        this.objectName = objectName;
        this.object = object;
        this.map = map;
        this.end = end;
        subject = bucket.chunkSubject(object.nuid());
        position = offset;
        nextToTake = offset < end ? map.chunkAt(offset) : map.count();
        nextToSend = nextToTake;
        String expected = object.digest();
        digest = offset == 0 && end == map.size() && expected != null && expected.startsWith(DIGEST)
                ? Sha256.digest()
                : null;
    }

    static String written(MessageDigest digest) {
        return DIGEST + Base64.getUrlEncoder().encodeToString(digest.digest());
    }

    /** Returns whether two digests are equal; they may be written with or without padding. */
    static boolean sameDigest(@Nullable String one, @Nullable String other) {
        return one != null && other != null && one.replace("=", "").equals(other.replace("=", ""));
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, target.length);
        if (closed) {
            throw new IOException("the stream is closed");
        }
        if (length == 0) {
            return 0;
        }
        if (position >= end) {
            return -1;
        }
        while (position >= chunkOffset + chunk.length || position < chunkOffset) {
            fetch();
        }
        int from = Math.toIntExact(position - chunkOffset);
        int count = Math.toIntExact(Math.min(Math.min(length, chunk.length - from), end - position));
        System.arraycopy(chunk, from, target, offset, count);
        position += count;
        return count;
    }

    private void fetch() throws IOException {
        int number = nextToTake;
        sendAhead();
        NatsLink.Call sent = ahead.isEmpty() ? null : ahead.removeFirst();
        nextToSend = Math.max(nextToSend, number + 1);
        byte[] content = bucket.chunk(sent, subject, map.sequence(number));
        if (content == null) {
            throw missing();
        }
        if (content.length != map.length(number)) {
            throw damaged("chunk " + number + " has " + content.length + " bytes instead of " + map.length(number));
        }
        if (digest != null) {
            digest.update(content);
            if (number == map.count() - 1 && !sameDigest(written(digest), object.digest())) {
                throw damaged("its content does not match its digest");
            }
        }
        chunk = content;
        chunkOffset = map.offset(number);
        nextToTake = number + 1;
    }

    private void sendAhead() throws IOException {
        while (nextToSend < map.count() && map.offset(nextToSend) < end && ahead.size() < MAX_READ_AHEAD_CHUNKS) {
            if (map.offset(nextToSend + 1) - map.offset(nextToTake) > MAX_READ_AHEAD_BYTES && !ahead.isEmpty()) {
                return;
            }
            NatsLink.Call sent;
            try {
                sent = bucket.sendForChunk(map.sequence(nextToSend));
            } catch (LostException e) {
                return; // a chunk that is needed now is requested again
            }
            if (sent == null) {
                return;
            }
            ahead.addLast(sent);
            nextToSend++;
        }
    }

    private IOException missing() throws IOException {
        onMissing.run();
        StoredObject now = bucket.findOnce(objectName);
        if (now == null || now.deleted() || !now.nuid().equals(object.nuid())) {
            return notFound(bucket, objectName);
        }
        return damaged("a chunk is missing");
    }

    private IOException damaged(String problem) {
        return new ReplicaFileDamagedException(
                bucket.settings().url(),
                objectName + " is damaged: " + problem,
                "restore from other files, or restore the bucket itself",
                null);
    }

    static ReplicaFileNotFoundException notFound(NatsBucket bucket, String objectName) {
        return new ReplicaFileNotFoundException(bucket.settings().url(), "there is no " + objectName, "", null);
    }

    @Override
    public void close() {
        closed = true;
        ahead.forEach(call -> call.answer().cancel(false));
        ahead.clear();
        chunk = new byte[0];
    }
}
