package org.litestream4j.replica.nats;

import io.nats.client.Message;
import io.nats.client.api.ObjectInfo;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.OtherBackup;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaDeleteException;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.replica.RequestListener.RequestType;

/** A replica whose LTX files are objects {@code [<path>/]ltx/<level>/<name>} of a bucket. Thread-safe. */
final class NatsReplicaClient implements ReplicaClient {

    /** Maximum number of files whose deletion is in progress. */
    private static final int MAX_PARALLEL_DELETIONS = 32;

    private final NatsSettings settings;
    private final NatsLink link;
    private final NatsBucket bucket;
    private final ObjectReader reader;
    private final OrphanedChunks orphans;
    private final Clock clock;

    NatsReplicaClient(NatsSettings settings, RequestListener listener) {
        this(settings, listener, Clock.systemUTC(), OrphanedChunks.ABANDONED);
    }

    /** @param orphanAge difference in age to the newest chunk from which an upload of this library counts as abandoned */
    NatsReplicaClient(NatsSettings settings, RequestListener listener, Clock clock, Duration orphanAge) {
        this.settings = settings;
        this.clock = clock;
        link = new NatsLink(settings);
        bucket = new NatsBucket(settings, link, listener);
        reader = new ObjectReader(bucket);
        orphans = new OrphanedChunks(bucket, clock, orphanAge);
    }

    @Override
    public String url() {
        return settings.url();
    }

    @Override
    public void prepare() throws IOException {
        new BucketSetup(bucket).prepare();
    }

    @Override
    public void list(int level, Txid from, Visitor visitor) throws IOException {
        folder(level); // rejects an invalid level
        List<@Nullable Txid> one = new ArrayList<>(Collections.nCopies(SNAPSHOT_LEVEL + 1, null));
        one.set(level, from);
        visit(new Listing(one), visitor);
    }

    /** Lists all levels by reading the bucket once. */
    @Override
    public void listAll(List<Txid> from, Visitor visitor) throws IOException {
        visit(new Listing(from), visitor);
    }

    private void visit(Listing listing, Visitor visitor) throws IOException {
        try {
            new StreamScan(bucket).run("$O." + settings.bucket() + ".M.>", StreamScan.Kind.NEWEST, listing);
        } catch (ReplicaAccessException e) {
            if (new BucketSetup(bucket).isStillToCome()) {
                return;
            }
            throw e;
        }
        for (NavigableMap<LtxFileName, LtxFileInfo> level : listing.levels) {
            for (LtxFileInfo file : level.values()) {
                if (!visitor.visit(file)) {
                    return;
                }
            }
        }
    }

    @Override
    public Optional<OtherBackup> otherBackup() throws IOException {
        return settings.otherPaths().isEmpty() ? Optional.empty() : new NatsOtherBackups(bucket).find();
    }

    @Override
    public OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException {
        return reader.open(objectName(level, name), offset, length);
    }

    /**
     * Returns the timestamp; for objects without the header, such as objects copied into the bucket, from the start of
     * the file.
     */
    @Override
    public Instant timestamp(LtxFileInfo file) throws IOException {
        if (file.exact()) {
            return file.timestamp();
        }
        try (InputStream in = open(file.level(), file.name(), 0, LtxHeader.SIZE)) {
            LtxHeader header = LtxHeader.parse(in.readNBytes(LtxHeader.SIZE), objectName(file.level(), file.name()));
            return Instant.ofEpochMilli(header.timestampMillis());
        }
    }

    @Override
    public ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum)
            throws IOException {
        return new NatsUpload(
                bucket, level, name, timestamp, databaseChecksum, objectName(level, name), orphans, clock);
    }

    @Override
    public void delete(int level, Collection<LtxFileName> names) throws IOException {
        List<LtxFileName> all = List.copyOf(names);
        folder(level);
        List<LtxFileName> remaining = new ArrayList<>();
        IOException first = null;
        for (int begin = 0; begin < all.size(); begin += MAX_PARALLEL_DELETIONS) {
            IOException failure = deleteSome(
                    level, all.subList(begin, Math.min(all.size(), begin + MAX_PARALLEL_DELETIONS)), remaining);
            first = first == null ? failure : first;
        }
        if (first != null) {
            @Nullable ReplicaException known = first instanceof ReplicaException told ? told : null;
            throw new ReplicaDeleteException(
                    url(),
                    remaining,
                    remaining.size() + " files could not be deleted: " + (known != null ? known.problem() : first),
                    first instanceof ReplicaAccessException refused ? refused.remedy() : "",
                    first);
        }
        if (!all.isEmpty()) {
            orphans.purgeDaily();
        }
    }

    /** Deletes files, descriptions first, so that no listed file is unreadable. */
    private @Nullable IOException deleteSome(int level, List<LtxFileName> names, List<LtxFileName> remaining) {
        IOException first = null;
        List<LtxFileName> found = new ArrayList<>();
        List<StoredObject> objects = new ArrayList<>();
        List<NatsLink.@Nullable Call> purges = new ArrayList<>();
        for (LtxFileName name : names) {
            try {
                StoredObject object = bucket.find(objectName(level, name));
                if (object != null) {
                    purges.add(bucket.sendPurge(bucket.metaSubject(objectName(level, name)), object.sequence() + 1));
                    found.add(name);
                    objects.add(object);
                }
            } catch (IOException e) {
                remaining.add(name);
                first = first == null ? e : first;
            }
        }
        for (int i = 0; i < found.size(); i++) {
            String objectName = objectName(level, found.get(i));
            try {
                bucket.purged(purges.get(i), RequestType.DELETE);
                reader.forget(objectName);
                if (!objects.get(i).deleted() && !objects.get(i).nuid().isEmpty()) {
                    bucket.purgeChunks(objects.get(i).nuid(), RequestType.DELETE);
                }
            } catch (IOException e) {
                remaining.add(found.get(i));
                first = first == null ? e : first;
            }
        }
        return first;
    }

    @Override
    public Optional<MarkStore> marks() {
        return Optional.of(new NatsMarks(bucket, reader, orphans, clock, settings.path()));
    }

    @Override
    public void close() {
        link.close();
    }

    private String folder(int level) {
        if (level < 0 || level > SNAPSHOT_LEVEL) {
            throw new IllegalArgumentException("no such level: " + level);
        }
        return (settings.path().isEmpty() ? "" : settings.path() + "/") + "ltx/" + level + "/";
    }

    private String objectName(int level, LtxFileName name) {
        return folder(level) + name;
    }

    /** Collects the files of some levels, sorted. */
    private final class Listing implements StreamScan.Sink {

        private final List<? extends @Nullable Txid> from;
        private final List<NavigableMap<LtxFileName, LtxFileInfo>> levels = new ArrayList<>();

        /** @param from first transaction by level; null for a level that was not requested */
        Listing(List<? extends @Nullable Txid> from) {
            this.from = from;
            for (int level = 0; level <= SNAPSHOT_LEVEL; level++) {
                levels.add(new TreeMap<>());
            }
        }

        @Override
        public void begin() {
            levels.forEach(NavigableMap::clear);
        }

        @Override
        public void take(Message message) throws IOException {
            String objectName = bucket.objectName(message.getSubject());
            if (objectName == null) {
                return;
            }
            for (int level = 0; level <= SNAPSHOT_LEVEL; level++) {
                Txid first = from.get(level);
                if (first != null && objectName.startsWith(folder(level))) {
                    take(level, first, objectName, message);
                }
            }
        }

        private void take(int level, Txid first, String objectName, Message message) throws IOException {
            NavigableMap<LtxFileName, LtxFileInfo> files = levels.get(level);
            Optional<LtxFileName> name =
                    LtxFileName.parse(objectName.substring(folder(level).length()));
            if (name.isEmpty() || name.get().min().isBefore(first)) {
                return;
            }
            StoredObject object;
            try {
                object = StoredObject.of(
                        new ObjectInfo(message),
                        message.metaData().timestamp().toInstant(),
                        message.metaData().streamSequence());
            } catch (IOException | RuntimeException e) {
                throw new ReplicaException(
                        url(), "cannot use the object " + objectName, "inspect it with nats object info", e);
            }
            if (object.deleted()) {
                files.remove(name.get());
                return;
            }
            Instant timestamp = object.timestamp();
            files.put(
                    name.get(),
                    new LtxFileInfo(
                            level,
                            name.get(),
                            object.size(),
                            timestamp == null ? object.stored() : timestamp,
                            timestamp != null));
        }
    }
}
