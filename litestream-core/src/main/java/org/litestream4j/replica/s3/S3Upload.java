package org.litestream4j.replica.s3;

import java.io.IOException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.Sha256;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.RequestListener.RequestType;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.CompletedPart;

/**
 * Upload of a file: kept in memory up to the part size and sent by one request, or sent in parts as they fill. Not
 * thread-safe.
 */
final class S3Upload extends ReplicaUpload {

    /** Maximum number of parts of one file, as defined by the protocol. */
    private static final int MAX_PARTS = 10_000;

    private final S3Context context;

    private final int level;

    private final LtxFileName name;

    private final Instant timestamp;

    private final Map<String, String> metadata;

    private final String key;

    private final MessageDigest digest = Sha256.digest();

    private final List<CompletableFuture<CompletedPart>> parts = new ArrayList<>();

    private PartBuffer buffer;

    private @Nullable String uploadId;

    private long size;

    private boolean published;

    /** Read by the threads that send parts. */
    private volatile boolean ended;

    S3Upload(S3Context context, int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum) {
        this.context = context;
        this.level = level;
        this.name = name;
        this.timestamp = timestamp;
        this.metadata = S3Metadata.of(timestamp, databaseChecksum);
        this.key = context.keys().key(level, name);
        this.buffer = newBuffer();
    }

    private PartBuffer newBuffer() {
        return new PartBuffer(context.settings().partSize());
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        checkOpen();
        digest.update(bytes, offset, length);
        int taken = 0;
        while (taken < length) {
            if (buffer.isFull()) {
                sendPart(); // not earlier: a file of exactly one part is sent whole
            }
            taken += buffer.append(bytes, offset + taken, length - taken);
        }
        size += length;
    }

    private void checkOpen() throws IOException {
        if (ended) {
            throw new IOException("upload of " + key + " was published or closed");
        }
        context.calls().checkOpen();
    }

    private void sendPart() throws IOException {
        if (parts.size() == MAX_PARTS) {
            throw new ReplicaException(
                    context.settings().url(),
                    "file " + key + " is larger than " + MAX_PARTS + " parts of "
                            + context.settings().partSize() + " bytes",
                    "raise part-size",
                    null);
        }
        failIfAnyPartFailed();
        String id = uploadId;
        if (id == null) {
            id = create();
            uploadId = id;
            context.leftovers().begun(key, id);
        }
        String upload = id;
        int number = parts.size() + 1;
        PartBuffer content = buffer;
        buffer = newBuffer();
        parts.add(context.parts().submit(() -> send(upload, number, content)));
    }

    private String create() throws IOException {
        try {
            return context.calls().run(RequestType.MULTIPART_CREATE, 0, client -> client.createMultipartUpload(
                            context.requests().create(key, metadata))
                    .uploadId());
        } catch (SdkException e) {
            throw context.failures().translate(e, "begin to write " + key);
        }
    }

    private CompletedPart send(String upload, int number, PartBuffer content) throws IOException {
        if (ended) {
            throw new IOException("upload of " + key + " was closed");
        }
        try {
            String etag = context.calls().run(RequestType.MULTIPART_PART, content.size(), client -> client.uploadPart(
                            context.requests().part(key, upload, number), S3Requests.body(content))
                    .eTag());
            return CompletedPart.builder().partNumber(number).eTag(etag).build();
        } catch (SdkException e) {
            throw context.failures().translate(e, "write part " + number + " of " + key);
        }
    }

    private void failIfAnyPartFailed() throws IOException {
        for (CompletableFuture<CompletedPart> part : parts) {
            if (part.isCompletedExceptionally()) {
                result(part);
            }
        }
    }

    private static CompletedPart result(CompletableFuture<CompletedPart> part) throws IOException {
        try {
            return part.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            throw e;
        }
    }

    @Override
    public LtxFileInfo publish() throws IOException {
        checkOpen();
        if (published) {
            throw new IllegalStateException("publish was called before for " + key);
        }
        published = true;
        S3Publication publication = new S3Publication(
                context,
                key,
                metadata,
                size,
                digest.digest(),
                context.settings().objectLock());
        String id = uploadId;
        if (id == null) {
            publication.put(buffer);
            ended = true;
        } else {
            if (buffer.size() > 0) {
                sendPart();
            }
            List<CompletedPart> completed = new ArrayList<>();
            for (CompletableFuture<CompletedPart> part : parts) {
                completed.add(result(part));
            }
            boolean consumed = publication.complete(id, completed);
            if (consumed) {
                uploadId = null;
                context.leftovers().ended(id);
            }
            close();
        }
        return new LtxFileInfo(level, name, size, timestamp, true);
    }

    @Override
    public void close() throws IOException {
        ended = true;
        String id = uploadId;
        if (id == null) {
            return;
        }
        uploadId = null;
        for (CompletableFuture<CompletedPart> part : parts) {
            part.exceptionally(failure -> null).join(); // a part that arrives after the abort would remain
        }
        parts.clear();
        context.leftovers().ended(id);
        try {
            context.calls()
                    .run(
                            RequestType.MULTIPART_ABORT,
                            0,
                            client -> client.abortMultipartUpload(
                                    request -> request.bucket(context.settings().bucket())
                                            .key(key)
                                            .uploadId(id)));
        } catch (SdkException e) {
            if (!S3Failures.isMissing(e)) {
                throw context.failures().translate(e, "discard the unfinished upload of " + key);
            }
        }
    }
}
