package org.litestream4j.replica.s3;

import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.OtherBackup;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.replica.RequestListener.RequestType;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;

/** A replica in a bucket. */
final class S3ReplicaClient implements ReplicaClient {

    private final S3Context context;

    private final S3Deletion.Bulk bulkDelete;

    private final Clock clock;

    /** @param clock clock for the age of unfinished uploads, and for locks */
    S3ReplicaClient(S3Connection connection, RequestListener listener, S3Calls.RetryPolicy retryPolicy, Clock clock) {
        this.clock = clock;
        S3Settings settings = connection.settings();
        S3Keys keys = new S3Keys(settings.prefix());
        S3Calls calls = new S3Calls(connection, listener, retryPolicy);
        context = new S3Context(
                settings,
                keys,
                calls,
                new S3Requests(settings, clock),
                new S3Failures(settings),
                new S3Parts(settings.concurrency(), settings.bucket()),
                new S3Leftovers(settings, keys, calls, clock),
                new S3Fence(settings, "small files"),
                new S3Fence(settings, "files sent in parts"));
        bulkDelete = new S3Deletion.Bulk(settings.vendor().bulkDelete());
    }

    @Override
    public String url() {
        return context.settings().url();
    }

    /**
     * Lists one key, which verifies credentials, clock, region and bucket. Write permission is verified by the first write.
     * With an object lock, checks that the store refuses to delete a locked object.
     */
    @Override
    public void prepare() throws IOException {
        holds(context.keys().root());
        ObjectLock lock = context.settings().objectLock();
        if (lock != null) {
            new S3LockCheck(context, lock, clock).run();
        }
    }

    @Override
    public Optional<OtherBackup> otherBackup() throws IOException {
        return new S3OtherBackups(context).find();
    }

    private boolean holds(String prefix) throws IOException {
        try {
            return !context.calls()
                    .run(
                            RequestType.LIST,
                            0,
                            client -> client.listObjectsV2(
                                    request -> request.bucket(context.settings().bucket())
                                            .prefix(prefix)
                                            .maxKeys(1)))
                    .contents()
                    .isEmpty();
        } catch (SdkException e) {
            throw context.failures().translate(e, "list " + prefix);
        }
    }

    @Override
    public void list(int level, Txid from, Visitor visitor) throws IOException {
        S3Listing.ofLevel(context, level, from).visit(visitor);
    }

    @Override
    public void listAll(List<Txid> from, Visitor visitor) throws IOException {
        S3Listing.ofAll(context, from).visit(visitor);
    }

    @Override
    public OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException {
        String key = context.keys().key(level, name);
        if (offset < 0 || length < TO_END) {
            throw new IllegalArgumentException("no such range: offset " + offset + ", length " + length);
        }
        if (length == 0) {
            try {
                return S3Download.empty(S3Metadata.databaseChecksum(head(key).metadata()));
            } catch (SdkException e) {
                throw context.failures().ofFile(e, key, "read " + key);
            }
        }
        return S3Download.open(context, key, offset, length);
    }

    private HeadObjectResponse head(String key) throws IOException {
        return context.calls()
                .run(
                        RequestType.HEAD,
                        0,
                        client -> client.headObject(context.requests().head(key)));
    }

    @Override
    public Instant timestamp(LtxFileInfo file) throws IOException {
        if (file.exact()) {
            return file.timestamp();
        }
        String key = context.keys().key(file.level(), file.name());
        try {
            HeadObjectResponse response = head(key);
            Optional<Instant> own = S3Metadata.timestamp(response.metadata());
            return own.isPresent() ? own.get() : timestampInHeader(file, key, response.lastModified());
        } catch (DateTimeException e) {
            throw new ReplicaException(
                    url(), "bad " + S3Metadata.TIMESTAMP + " of " + key + ": " + e.getMessage(), "", e);
        } catch (SdkException e) {
            throw context.failures().ofFile(e, key, "read the metadata of " + key);
        }
    }

    /**
     * Returns the timestamp from the header of the file, for objects without metadata, such as objects copied into the
     * bucket.
     */
    private Instant timestampInHeader(LtxFileInfo file, String key, Instant lastModified) throws IOException {
        try (InputStream in = open(file.level(), file.name(), 0, LtxHeader.SIZE)) {
            byte[] header = in.readNBytes(LtxHeader.SIZE);
            return header.length < LtxHeader.SIZE
                    ? lastModified
                    : Instant.ofEpochMilli(LtxHeader.parse(header, key).timestampMillis());
        } catch (LtxFormatException e) {
            return lastModified; // the reader of the file will get the error
        }
    }

    @Override
    public ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum)
            throws IOException {
        context.calls().checkOpen();
        return new S3Upload(context, level, name, timestamp, databaseChecksum);
    }

    @Override
    public void delete(int level, Collection<LtxFileName> names) throws IOException {
        context.keys().level(level); // rejects an invalid level even without names
        context.calls().checkOpen();
        ObjectLock lock = context.settings().objectLock();
        if (lock == null) {
            new S3Deletion(context, bulkDelete, level).delete(new LinkedHashSet<>(names));
        } else if (!names.isEmpty()) {
            new S3LockedDeletion(context, lock, clock, level).delete(new LinkedHashSet<>(names));
        }
        if (!names.isEmpty()) {
            context.leftovers().discard();
        }
    }

    @Override
    public Duration lockedFor() {
        ObjectLock lock = context.settings().objectLock();
        return lock == null ? Duration.ZERO : lock.retain();
    }

    @Override
    public Optional<MarkStore> marks() {
        return Optional.of(new S3Marks(context));
    }

    @Override
    public void close() {
        context.calls().close();
        context.parts().close();
    }
}
