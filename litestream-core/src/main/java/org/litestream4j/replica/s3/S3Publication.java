package org.litestream4j.replica.s3;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.Sha256;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.RequestListener.RequestType;
import org.litestream4j.replica.ResumingInputStream;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.CompletedMultipartUpload;
import software.amazon.awssdk.services.s3.model.CompletedPart;

/**
 * Makes a file visible under a name that is free or already has the same content. If the store reports that the name is
 * taken, the existing content decides: an earlier attempt may have succeeded although its response was lost.
 */
final class S3Publication {

    /** Number of attempts. A write that finds the name taken, but then no file, coincided with a deletion and is repeated. */
    private static final int MAX_ATTEMPTS = 3;

    /** A write, with or without the condition. */
    @FunctionalInterface
    private interface Write {
        void send(boolean onlyIfAbsent) throws IOException;
    }

    private final S3Context context;

    private final String key;

    private final Map<String, String> metadata;

    private final long size;

    private final byte[] sha256;

    private final @Nullable ObjectLock lock;

    /** @param lock lock of an object that is sent whole; null for none */
    S3Publication(
            S3Context context,
            String key,
            Map<String, String> metadata,
            long size,
            byte[] sha256,
            @Nullable ObjectLock lock) {
        this.context = context;
        this.key = key;
        this.metadata = metadata;
        this.size = size;
        this.sha256 = sha256;
        this.lock = lock;
    }

    /** Sends a small file whole. */
    void put(PartBuffer content) throws IOException {
        S3Fence fence = context.wholeFence();
        Write write = onlyIfAbsent -> context.calls()
                .run(
                        RequestType.PUT,
                        content.size(),
                        client -> client.putObject(
                                context.requests().put(key, metadata, onlyIfAbsent, lock), S3Requests.body(content)));
        if (publish(fence, write) && fence.isConditional() && !fence.isProven()) {
            probe(fence, write);
            fence.isConditional(); // throws if the condition is required, but ineffective
        }
    }

    /** Repeats the write, which must be rejected. A store that accepts it has overwritten the file with identical content. */
    private static void probe(S3Fence fence, Write write) {
        try {
            write.send(true);
            fence.ignored();
        } catch (SdkException e) {
            if (S3Failures.isTaken(e)) {
                fence.honored();
            } // otherwise the next file decides; this one is stored
        } catch (IOException e) {
            // the next file decides
        }
    }

    /** Completes a multipart upload. Returns whether the upload is finished; if not, it must be aborted. */
    boolean complete(String uploadId, List<CompletedPart> parts) throws IOException {
        return publish(context.partsFence(), onlyIfAbsent -> context.calls()
                .run(
                        RequestType.MULTIPART_COMPLETE,
                        0,
                        client -> client.completeMultipartUpload(context.requests()
                                .complete(key, uploadId, onlyIfAbsent)
                                .multipartUpload(CompletedMultipartUpload.builder()
                                        .parts(parts)
                                        .build())
                                .build())));
    }

    /** Returns true if the write succeeded, false if the file already existed. */
    private boolean publish(S3Fence fence, Write write) throws IOException {
        boolean conditional = fence.isConditional();
        for (int round = 1; ; round++) {
            if (!(conditional && fence.isProven()) && isThere()) {
                return false;
            }
            try {
                write.send(conditional);
                if (!conditional) {
                    fence.dropped();
                }
                return true;
            } catch (SdkException e) {
                if (conditional && fence.mayFallBack(e)) {
                    conditional = false;
                    continue;
                }
                if (conditional && fence.isRefusedForGood(e)) {
                    throw fence.refused(e);
                }
                if (conditional && S3Failures.isTaken(e)) {
                    fence.honored();
                }
                boolean answered = S3Failures.isTaken(e) || S3Failures.isUploadGone(e);
                if (answered && isThere()) {
                    return false;
                }
                if (!answered || round >= MAX_ATTEMPTS) {
                    throw context.failures().translate(e, "write " + key);
                }
            }
        }
    }

    /** @throws ReplicaConflictException if the name has other content */
    private boolean isThere() throws IOException {
        try (InputStream existing = ResumingInputStream.open(
                (offset, length) -> S3Download.open(context, key, offset, length), key, 0, size + 1)) {
            if (Arrays.equals(sha256(existing), sha256)) {
                return true;
            }
        } catch (ReplicaFileNotFoundException e) {
            return false;
        }
        throw new ReplicaConflictException(
                context.settings().url(),
                "file " + key + " exists already with other content: another process writes to this replica",
                "let only one process replicate to it, or give this one a path of its own",
                null);
    }

    private static byte[] sha256(InputStream in) throws IOException {
        MessageDigest digest = Sha256.digest();
        byte[] chunk = new byte[64 << 10];
        for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
            digest.update(chunk, 0, count);
        }
        return digest.digest();
    }
}
