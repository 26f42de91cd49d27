package org.litestream4j.replica.s3;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.RequestListener.RequestResult;
import org.litestream4j.replica.RequestListener.RequestType;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * Content of an object, or of a range of it, as the body of one response. Fails if the connection breaks or the body ends
 * early. Not thread-safe.
 */
final class S3Download extends InputStream {

    /** Number of unread bytes up to which reading them is cheaper than a new connection. */
    private static final int MAX_DRAINED_BYTES = 64 << 10;

    private static final long UNKNOWN = -1;

    private final S3Context context;

    private final String key;

    private @Nullable ResponseInputStream<GetObjectResponse> body;

    private final long offset;

    private long position;

    /** End of the content to read, exclusive; {@link #UNKNOWN} if the store has not returned it. */
    private final long end;

    private boolean closed;

    private S3Download(S3Context context, String key, long offset, ResponseInputStream<GetObjectResponse> body) {
        this.context = context;
        this.key = key;
        this.offset = offset;
        this.body = body;
        this.position = offset;
        Long contentLength = body.response().contentLength();
        this.end = contentLength == null ? UNKNOWN : offset + contentLength;
    }

    /**
     * Opens an object.
     *
     * @param length at least 1, or {@link ReplicaClient#TO_END}
     */
    static OpenedFile open(S3Context context, String key, long offset, long length) throws IOException {
        String range = range(offset, length);
        ResponseInputStream<GetObjectResponse> body;
        try {
            body = context.calls()
                    .once(
                            RequestType.GET,
                            0,
                            client -> client.getObject(context.requests().get(key, range)));
        } catch (SdkException e) {
            if (S3Failures.isBeyondEnd(e)) {
                return empty(OptionalLong.empty());
            }
            throw context.failures().ofFile(e, key, "read " + key);
        }
        S3Download download = new S3Download(context, key, offset, body);
        GetObjectResponse response = body.response();
        String returned = response.contentRange();
        if (offset > 0 && (returned == null || !returned.startsWith("bytes " + offset + "-"))) {
            download.finish(RequestResult.FAILED);
            throw new ReplicaException(
                    context.settings().url(),
                    "asked for " + range + " of " + key + ", the store sent " + returned,
                    "",
                    null);
        }
        OptionalLong databaseChecksum =
                response.hasMetadata() ? S3Metadata.databaseChecksum(response.metadata()) : OptionalLong.empty();
        return new OpenedFile(download, databaseChecksum, response.eTag());
    }

    /** Returns an opened file without content. */
    static OpenedFile empty(OptionalLong databaseChecksum) {
        return new OpenedFile(InputStream.nullInputStream(), databaseChecksum);
    }

    private static @Nullable String range(long offset, long length) {
        if (length == ReplicaClient.TO_END) {
            return offset == 0 ? null : "bytes=" + offset + "-";
        }
        return "bytes=" + offset + "-" + (offset + Math.min(length, Long.MAX_VALUE - offset) - 1);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] into, int at, int length) throws IOException {
        Objects.checkFromIndexSize(at, length, into.length);
        if (closed) {
            throw new IOException("stream is closed");
        }
        context.calls().checkOpen();
        if (length == 0) {
            return 0;
        }
        InputStream in = body;
        if (in == null || position == end) {
            finish(RequestResult.SUCCESS);
            return -1;
        }
        int count;
        try {
            count = in.read(into, at, end == UNKNOWN ? length : (int) Math.min(length, end - position));
        } catch (IOException | SdkException e) {
            throw broken(e);
        }
        if (count < 0) {
            if (end != UNKNOWN) {
                throw broken(new IOException("the body ended " + (end - position) + " bytes early"));
            }
            finish(RequestResult.SUCCESS);
            return -1;
        }
        position += count;
        return count;
    }

    private IOException broken(Exception cause) throws IOException {
        finish(RequestResult.FAILED);
        closed = true;
        context.calls().checkOpen();
        context.calls().checkInterrupted(cause);
        return new ReplicaException(
                context.settings().url(),
                "cannot read " + key + " from byte " + position + ": the connection broke ("
                        + cause.getClass().getSimpleName() + ")",
                "check the network if this lasts",
                cause);
    }

    private void finish(RequestResult outcome) {
        ResponseInputStream<GetObjectResponse> old = body;
        if (old == null) {
            return;
        }
        body = null;
        context.calls().count(RequestType.GET, outcome, 0, position - offset);
        try {
            if (outcome == RequestResult.SUCCESS && end != UNKNOWN && end - position <= MAX_DRAINED_BYTES) {
                old.close(); // reads the remaining bytes and keeps the connection
            } else {
                old.abort();
            }
        } catch (IOException | RuntimeException e) {
            old.abort(); // only the connection is lost; the bytes read were valid
        }
    }

    @Override
    public void close() {
        closed = true;
        finish(RequestResult.SUCCESS);
    }
}
