package org.litestream4j.replica.nats;

import io.nats.client.Message;
import io.nats.client.api.ObjectInfo;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.Mark;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.RequestListener.RequestType;
import org.litestream4j.replica.ResumingInputStream;

/** Marks as objects {@code [<path>/]marks/<name>.mark} of the bucket. Thread-safe. */
final class NatsMarks implements MarkStore {

    private static final String SUFFIX = ".mark";

    /** Stands for the file name in the result of an upload, which a mark does not have. */
    private static final LtxFileName NO_FILE = LtxFileName.of(new Txid(1));

    private final NatsBucket bucket;
    private final ObjectReader reader;
    private final OrphanedChunks orphans;
    private final Clock clock;
    private final String prefix;

    NatsMarks(NatsBucket bucket, ObjectReader reader, OrphanedChunks orphans, Clock clock, String path) {
        this.bucket = bucket;
        this.reader = reader;
        this.orphans = orphans;
        this.clock = clock;
        this.prefix = (path.isEmpty() ? "" : path + "/") + "marks/";
    }

    @Override
    public List<Stored> list() throws IOException {
        Map<String, String> marks = new TreeMap<>();
        try {
            new StreamScan(bucket)
                    .run("$O." + bucket.settings().bucket() + ".M.>", StreamScan.Kind.NEWEST, new StreamScan.Sink() {
                        @Override
                        public void begin() {
                            marks.clear();
                        }

                        @Override
                        public void take(Message message) {
                            NatsMarks.this.take(message, marks);
                        }
                    });
        } catch (ReplicaAccessException e) {
            if (!new BucketSetup(bucket).isStillToCome()) {
                throw e;
            }
        }
        return marks.entrySet().stream()
                .map(mark -> new Stored(mark.getKey(), mark.getValue()))
                .sorted(Comparator.comparing(Stored::name))
                .toList();
    }

    private void take(Message message, Map<String, String> marks) {
        String objectName = bucket.objectName(message.getSubject());
        if (objectName == null || !objectName.startsWith(prefix) || !objectName.endsWith(SUFFIX)) {
            return;
        }
        int end = objectName.length() - SUFFIX.length();
        String name = end < prefix.length() ? "" : objectName.substring(prefix.length(), end);
        if (!Mark.isName(name)) {
            return;
        }
        if (new ObjectInfo(message).isDeleted()) {
            marks.remove(name);
        } else {
            marks.put(name, Long.toString(message.metaData().streamSequence()));
        }
    }

    @Override
    public Optional<byte[]> read(String name) throws IOException {
        String objectName = objectName(name);
        try (InputStream in = ResumingInputStream.open(
                (offset, length) -> reader.open(objectName, offset, length), objectName, 0, Mark.MAX_BYTES + 1L)) {
            return Optional.of(in.readNBytes(Mark.MAX_BYTES + 1));
        } catch (ReplicaFileNotFoundException e) {
            return Optional.empty();
        }
    }

    @Override
    public boolean create(String name, byte[] content) throws IOException {
        try (NatsUpload upload = new NatsUpload(
                bucket, 0, NO_FILE, clock.instant(), OptionalLong.empty(), objectName(name), orphans, clock)) {
            upload.write(content);
            upload.publish();
            return true;
        } catch (ReplicaConflictException e) {
            return false;
        }
    }

    @Override
    public boolean remove(String name) throws IOException {
        String objectName = objectName(name);
        StoredObject object = bucket.find(objectName);
        if (object == null) {
            return false;
        }
        bucket.purged(bucket.sendPurge(bucket.metaSubject(objectName), object.sequence() + 1), RequestType.DELETE);
        reader.forget(objectName);
        if (!object.deleted() && !object.nuid().isEmpty()) {
            bucket.purgeChunks(object.nuid(), RequestType.DELETE);
        }
        return !object.deleted();
    }

    private String objectName(String name) {
        return prefix + Mark.requireName(name) + SUFFIX;
    }
}
