package org.litestream4j.replica.nats;

import io.nats.client.Message;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.Sha256;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileChangedException;
import org.litestream4j.replica.ReplicaFileDamagedException;

/**
 * Finds the chunks of objects. A small object that is read whole is fetched from the position its chunks have if no
 * other client wrote in between. For all others, one scan of headers creates a map of the chunks, which later reads
 * reuse. No request is repeated, because {@link org.litestream4j.replica.ResumingInputStream} retries. Thread-safe.
 */
final class ObjectReader {

    private static final int SMALL_CHUNKS = 128;

    private static final int SMALL_BYTES = 1024 * 1024;

    /** Maximum number of chunks in all cached maps: 2 MiB. A single map may be larger. */
    private static final int MAX_CACHED_CHUNKS = 128 * 1024;

    private final NatsBucket bucket;

    /** Cached maps by object name, least recently used first. Guarded by itself, as is {@link #remembered}. */
    private final Map<String, Located> maps = new LinkedHashMap<>(16, 0.75f, true);

    private long remembered;

    private record Located(StoredObject object, ChunkMap map) {}

    ObjectReader(NatsBucket bucket) {
        this.bucket = bucket;
    }

    OpenedFile open(String objectName, long offset, long length) throws IOException {
        Located known;
        synchronized (maps) {
            known = maps.get(objectName);
        }
        if (known != null && offset > 0) { // a range of a file that is read in ranges: saves a request
            return ranged(objectName, known, offset, length);
        }
        StoredObject object = bucket.findOnce(objectName);
        if (object == null || object.deleted()) {
            throw ChunkReader.notFound(bucket, objectName);
        }
        boolean whole = offset == 0 && (length == ReplicaClient.TO_END || length >= object.size());
        if (object.size() <= SMALL_BYTES && object.chunks() <= (whole ? SMALL_CHUNKS : 2)) {
            byte[] content = fetchSmall(object);
            if (content != null) {
                int from = (int) checkedOffset(objectName, offset, content.length);
                int count = (int) (end(offset, length, content.length) - from);
                return new OpenedFile(
                        new ByteArrayInputStream(content, from, count), object.databaseChecksum(), object.nuid());
            }
        }
        Located located =
                known != null && known.object().nuid().equals(object.nuid()) ? known : locate(objectName, object);
        return ranged(objectName, located, offset, length);
    }

    private OpenedFile ranged(String objectName, Located located, long offset, long length)
            throws ReplicaFileChangedException {
        long size = located.map().size();
        checkedOffset(objectName, offset, size);
        ChunkReader content = new ChunkReader(
                bucket,
                objectName,
                located.object(),
                located.map(),
                offset,
                end(offset, length, size),
                () -> forget(objectName));
        return new OpenedFile(
                content, located.object().databaseChecksum(), located.object().nuid());
    }

    private static long checkedOffset(String objectName, long offset, long size) throws ReplicaFileChangedException {
        if (offset < 0) {
            throw new IllegalArgumentException("offset " + offset + " outside " + objectName + ", " + size + " bytes");
        }
        if (offset > size) {
            throw new ReplicaFileChangedException(
                    objectName + ", listed with more than " + offset + " bytes and now of " + size + ",");
        }
        return offset;
    }

    private static long end(long offset, long length, long size) {
        return length == ReplicaClient.TO_END ? size : offset + Math.min(length, size - offset);
    }

    /** Returns the content if the messages directly before the description are the chunks; otherwise null. */
    private byte @Nullable [] fetchSmall(StoredObject object) throws IOException {
        int count = (int) object.chunks();
        long first = object.sequence() - count;
        if (first < 1 && count > 0) {
            return null;
        }
        List<NatsLink.@Nullable Call> sent = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            try {
                sent.add(bucket.sendForChunk(first + i));
            } catch (LostException e) {
                sent.add(null);
            }
        }
        byte[] content = new byte[(int) object.size()];
        int filled = 0;
        String subject = bucket.chunkSubject(object.nuid());
        for (int i = 0; i < count; i++) {
            byte[] chunk = bucket.chunk(sent.get(i), subject, first + i);
            if (chunk == null || chunk.length > content.length - filled) {
                return null;
            }
            System.arraycopy(chunk, 0, content, filled, chunk.length);
            filled += chunk.length;
        }
        MessageDigest digest = Sha256.digest();
        digest.update(content);
        boolean right = filled == content.length
                && (object.digest() == null || ChunkReader.sameDigest(ChunkReader.written(digest), object.digest()));
        return right ? content : null;
    }

    private Located locate(String objectName, StoredObject object) throws IOException {
        ChunkMap map = object.chunks() == 0 ? new ChunkMap() : mapOnce(bucket.chunkSubject(object.nuid()));
        if (map.count() != object.chunks() || map.size() != object.size()) {
            StoredObject now = bucket.findOnce(objectName);
            if (now == null || now.deleted() || !now.nuid().equals(object.nuid())) {
                throw ChunkReader.notFound(bucket, objectName);
            }
            throw new ReplicaFileDamagedException(
                    bucket.settings().url(),
                    objectName + " is damaged: " + map.count() + " chunks with " + map.size() + " bytes instead of "
                            + object.chunks() + " with " + object.size(),
                    "restore from other files, or restore the bucket itself",
                    null);
        }
        Located located = new Located(object, map);
        remember(objectName, located);
        return located;
    }

    /** Returns all chunks that the stream contains under a subject. */
    static ChunkMap scan(NatsBucket bucket, String chunkSubject) throws IOException {
        MapMaker maker = new MapMaker();
        new StreamScan(bucket).run(chunkSubject, StreamScan.Kind.ALL_HEADERS, maker);
        return maker.map;
    }

    private ChunkMap mapOnce(String chunkSubject) throws IOException {
        MapMaker maker = new MapMaker();
        new StreamScan(bucket).runOnce(chunkSubject, StreamScan.Kind.ALL_HEADERS, maker);
        return maker.map;
    }

    private void remember(String objectName, Located located) {
        synchronized (maps) {
            forget(objectName);
            maps.put(objectName, located);
            remembered += located.map().count();
            Iterator<Located> eldest = maps.values().iterator();
            while (remembered > MAX_CACHED_CHUNKS && maps.size() > 1) {
                remembered -= eldest.next().map().count();
                eldest.remove();
            }
        }
    }

    /** Discards the cached map of an object that has changed. */
    void forget(String objectName) {
        synchronized (maps) {
            Located gone = maps.remove(objectName);
            if (gone != null) {
                remembered -= gone.map().count();
            }
        }
    }

    private static final class MapMaker implements StreamScan.Sink {

        private ChunkMap map = new ChunkMap();

        @Override
        public void begin() {
            map = new ChunkMap();
        }

        @Override
        public void take(Message message) throws IOException {
            String size = message.hasHeaders() ? message.getHeaders().getFirst(StreamScan.SIZE) : null;
            if (size == null || !size.matches("\\d{1,10}")) {
                throw new IOException("the server does not tell the sizes of messages");
            }
            map.add(message.metaData().streamSequence(), Long.parseLong(size));
        }
    }
}
