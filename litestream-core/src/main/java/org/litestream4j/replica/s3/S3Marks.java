package org.litestream4j.replica.s3;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.Sha256;
import org.litestream4j.replica.Mark;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.RequestListener.RequestType;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.S3Object;

/** Marks as objects {@code <prefix>/marks/<name>.mark}. Thread-safe. */
final class S3Marks implements MarkStore {

    private static final String SUFFIX = ".mark";

    private final S3Context context;
    private final String prefix;

    S3Marks(S3Context context) {
        this.context = context;
        this.prefix = context.keys().marks();
    }

    @Override
    public List<Stored> list() throws IOException {
        List<Stored> marks = new ArrayList<>();
        String token = null;
        do {
            ListObjectsV2Response page = page(token);
            for (S3Object object : page.contents()) {
                String name = name(object.key());
                if (name != null) {
                    marks.add(new Stored(name, object.eTag() + " " + object.lastModified()));
                }
            }
            boolean more = Boolean.TRUE.equals(page.isTruncated());
            token = more ? page.nextContinuationToken() : null;
            if (more && token == null) {
                throw new ReplicaException(
                        context.settings().url(), "the store truncated the listing of " + prefix, "", null);
            }
        } while (token != null);
        marks.sort(Comparator.comparing(Stored::name));
        return marks;
    }

    private @Nullable String name(String key) {
        if (!key.startsWith(prefix) || !key.endsWith(SUFFIX)) {
            return null;
        }
        int end = key.length() - SUFFIX.length();
        String name = end < prefix.length() ? "" : key.substring(prefix.length(), end);
        return Mark.isName(name) ? name : null;
    }

    private ListObjectsV2Response page(@Nullable String token) throws IOException {
        try {
            return context.calls()
                    .run(
                            RequestType.LIST,
                            0,
                            client -> client.listObjectsV2(
                                    request -> request.bucket(context.settings().bucket())
                                            .prefix(prefix)
                                            .delimiter("/")
                                            .continuationToken(token)));
        } catch (SdkException e) {
            throw context.failures().translate(e, "list " + prefix);
        }
    }

    @Override
    public Optional<byte[]> read(String name) throws IOException {
        String key = key(name);
        try (InputStream content =
                S3Download.open(context, key, 0, Mark.MAX_BYTES + 1L).content()) {
            return Optional.of(content.readNBytes(Mark.MAX_BYTES + 1));
        } catch (ReplicaFileNotFoundException e) {
            return Optional.empty();
        }
    }

    @Override
    public boolean create(String name, byte[] content) throws IOException {
        MessageDigest digest = Sha256.digest();
        PartBuffer buffer = new PartBuffer(Math.max(1, content.length));
        buffer.append(content, 0, content.length);
        try {
            new S3Publication(context, key(name), Map.of(), content.length, digest.digest(content), null).put(buffer);
            return true;
        } catch (ReplicaConflictException e) {
            return false;
        }
    }

    @Override
    public boolean remove(String name) throws IOException {
        if (read(name).isEmpty()) { // the response to a deletion does not tell
            return false;
        }
        String key = key(name);
        try {
            context.calls()
                    .run(
                            RequestType.DELETE,
                            0,
                            client -> client.deleteObject(request ->
                                    request.bucket(context.settings().bucket()).key(key)));
            return true;
        } catch (SdkException e) {
            if (S3Failures.isMissing(e)) {
                return false;
            }
            throw context.failures().translate(e, "delete " + key);
        }
    }

    private String key(String name) {
        return prefix + Mark.requireName(name) + SUFFIX;
    }
}
