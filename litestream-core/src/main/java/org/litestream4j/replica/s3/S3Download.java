package org.litestream4j.replica.s3;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.RequestListener.Operation;
import org.litestream4j.replica.RequestListener.Outcome;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * Content of an object, or of a range of it. If the connection breaks, or the body ends early, a new request continues
 * at the same byte of the same version of the object. Not thread-safe.
 */
final class S3Download extends InputStream {

    /** Number of unread bytes up to which reading them is cheaper than a new connection. */
    private static final int DRAINED = 64 << 10;

    /** Number of bytes after which an earlier broken connection no longer counts as a failure. */
    private static final long PROGRESS = 1 << 20;

    private static final long UNKNOWN = -1;

    private final S3Calls calls;

    private final S3Requests requests;

    private final S3Failures failures;

    private final String key;

    private @Nullable ResponseInputStream<GetObjectResponse> body;

    private boolean connected;

    /** ETag of the object found by the first request. */
    private @Nullable String etag;

    private OptionalLong databaseChecksum = OptionalLong.empty();

    private long position;

    /** End of the range, exclusive; {@link #UNKNOWN} until the store has returned it. */
    private long end;

    /** End of the current body, exclusive. */
    private long bodyEnd;

    private long fromStore;

    private int broken;

    private long brokenAt;

    private boolean closed;

    private S3Download(S3Calls calls, S3Requests requests, S3Failures failures, String key, long offset, long length) {
        this.calls = calls;
        this.requests = requests;
        this.failures = failures;
        this.key = key;
        this.position = offset;
        this.end = length == ReplicaClient.TO_END ? UNKNOWN : offset + Math.min(length, Long.MAX_VALUE - offset);
    }

    /**
     * Opens an object.
     *
     * @param length at least 1, or {@link ReplicaClient#TO_END}
     * @throws SdkException if the store denies the request
     */
    static S3Download open(
            S3Calls calls, S3Requests requests, S3Failures failures, String key, long offset, long length)
            throws IOException {
        S3Download download = new S3Download(calls, requests, failures, key, offset, length);
        download.connect();
        return download;
    }

    private void connect() throws IOException {
        ResponseInputStream<GetObjectResponse> opened =
                calls.open(client -> client.getObject(requests.get(key, range(), etag)));
        fromStore = 0;
        body = opened;
        GetObjectResponse response = opened.response();
        bodyEnd = response.contentLength() == null ? UNKNOWN : position + response.contentLength();
        String given = response.contentRange();
        boolean elsewhere = position > 0 && (given == null || !given.startsWith("bytes " + position + "-"));
        if (elsewhere || (connected && bodyEnd != UNKNOWN && bodyEnd < end)) {
            finish(Outcome.FAILED);
            throw new ReplicaException(
                    failures.replica(), "asked for " + range() + " of " + key + ", the store sent " + given, "", null);
        }
        if (!connected && bodyEnd != UNKNOWN && (end == UNKNOWN || end > bodyEnd)) {
            end = bodyEnd; // a range beyond the end of the file is truncated
        }
        if (!connected && response.hasMetadata()) {
            databaseChecksum = S3Metadata.databaseChecksum(response.metadata());
        }
        connected = true;
        etag = response.eTag();
    }

    /** Returns the end of the content to read, if the store has returned it; otherwise a negative number. */
    long knownEnd() {
        return end;
    }

    /** Returns the checksum from the object's metadata. */
    OptionalLong databaseChecksum() {
        return databaseChecksum;
    }

    /** Returns the ETag of the object; null if the store has none. */
    @Nullable
    String etag() {
        return etag;
    }

    private @Nullable String range() {
        if (end == UNKNOWN) {
            return position == 0 ? null : "bytes=" + position + "-";
        }
        return "bytes=" + position + "-" + (end - 1);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, into.length);
        if (closed) {
            throw new IOException("stream is closed");
        }
        calls.checkOpen();
        if (length == 0) {
            return 0;
        }
        while (end == UNKNOWN || position < end) {
            InputStream in = current();
            int count;
            try {
                count = in.read(into, offset, limit(length));
            } catch (IOException | SdkException e) {
                broken(e);
                continue;
            }
            if (count > 0) {
                position += count;
                fromStore += count;
                return count;
            }
            if (end == UNKNOWN) {
                break;
            }
            broken(new IOException("the body ended " + (end - position) + " bytes early"));
        }
        finish(Outcome.SUCCESS);
        return -1;
    }

    private InputStream current() throws IOException {
        try {
            if (body == null) {
                connect();
            }
            return Objects.requireNonNull(body);
        } catch (SdkException e) {
            throw S3Failures.isMissing(e) ? failures.missing(e, key) : failures.translate(e, reading());
        }
    }

    private String reading() {
        return "read " + key + " from byte " + position;
    }

    private int limit(int length) {
        return end == UNKNOWN ? length : (int) Math.min(length, end - position);
    }

    /** Counts a broken connection and waits before the next attempt. */
    private void broken(Exception cause) throws IOException {
        finish(Outcome.FAILED);
        calls.checkOpen();
        calls.checkInterrupted(cause);
        broken = position - brokenAt >= PROGRESS ? 1 : broken + 1;
        brokenAt = position;
        if (broken >= calls.patience().attempts()) {
            throw new ReplicaException(
                    failures.replica(),
                    "cannot " + reading() + ": the connection broke " + broken + " times ("
                            + cause.getClass().getSimpleName() + ")",
                    "check the network if this lasts",
                    cause);
        }
        calls.pause(calls.patience().pause(broken));
    }

    private void finish(Outcome outcome) {
        ResponseInputStream<GetObjectResponse> old = body;
        if (old == null) {
            return;
        }
        body = null;
        calls.count(Operation.GET, outcome, 0, fromStore);
        try {
            if (outcome == Outcome.SUCCESS && bodyEnd != UNKNOWN && bodyEnd - position <= DRAINED) {
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
        finish(Outcome.SUCCESS);
    }
}
