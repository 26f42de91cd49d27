package org.litestream4j.replica.s3;

import java.io.Closeable;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaClosedException;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.replica.RequestListener.Request;
import org.litestream4j.replica.RequestListener.RequestResult;
import org.litestream4j.replica.RequestListener.RequestType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** The SDK's client, created by the first request: its creation may need a request for the bucket's region. Thread-safe. */
final class S3Connection implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(S3Connection.class);

    /** Region that receives the request for a bucket's region; any region answers it. */
    private static final String ASKED_REGION = "us-east-1";

    private static final String BUCKET_REGION = "x-amz-bucket-region";

    private final S3Settings settings;

    private final @Nullable AwsCredentialsProvider credentials;

    private final boolean owned;

    private final ReentrantLock lock = new ReentrantLock();

    private volatile @Nullable S3Client client;

    private volatile boolean closed;

    /**
     * Creates and closes its own client.
     *
     * @param credentials credentials to use if the settings have none; null for the SDK's default chain
     */
    S3Connection(S3Settings settings, @Nullable AwsCredentialsProvider credentials) {
        this.settings = settings;
        this.credentials = credentials;
        this.owned = true;
    }

    /** Uses a client that its owner closes. */
    S3Connection(S3Settings settings, S3Client client) {
        this.settings = settings;
        this.credentials = null;
        this.client = client;
        this.owned = false;
    }

    S3Settings settings() {
        return settings;
    }

    boolean isClosed() {
        return closed;
    }

    /**
     * Returns the client.
     *
     * @param listener receives the request for the bucket's region, if one is needed
     * @throws SdkException if the region cannot be determined
     */
    S3Client client(RequestListener listener) throws IOException {
        checkOpen();
        S3Client existing = client;
        if (existing != null) {
            return existing;
        }
        lock.lock();
        try {
            checkOpen();
            existing = client;
            if (existing == null) {
                String region = settings.region() != null ? settings.region() : lookUpRegion(listener);
                if (settings.skipVerify()) {
                    LOG.warn(
                            "any certificate is accepted, so others on the way can read and change the backup: replica={};"
                                    + " remove skip-verify, and import the store's authority into the JVM's trust store",
                            settings.url());
                }
                existing = S3Clients.build(settings, region, credentials);
                client = existing;
            }
            return existing;
        } finally {
            lock.unlock();
        }
    }

    void checkOpen() throws ReplicaClosedException {
        if (closed) {
            throw new ReplicaClosedException(settings.url());
        }
    }

    private String lookUpRegion(RequestListener listener) {
        try (S3Client any = S3Clients.build(settings, ASKED_REGION, credentials)) {
            String region = regionOf(any, settings.bucket());
            listener.onRequest(new Request(RequestType.HEAD, RequestResult.SUCCESS, 0, 0));
            LOG.debug("bucket found: replica={} region={}", settings.url(), region);
            return region;
        }
    }

    /** Returns the region of a bucket. Stores name it in their response even if they deny the request. */
    static String regionOf(S3Client client, String bucket) {
        try {
            String region = client.headBucket(request -> request.bucket(bucket)).bucketRegion();
            return region == null ? ASKED_REGION : region;
        } catch (S3Exception e) {
            return e.awsErrorDetails()
                    .sdkHttpResponse()
                    .firstMatchingHeader(BUCKET_REGION)
                    .orElseThrow(() -> e);
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            if (owned && client != null) {
                client.close();
            }
        } finally {
            lock.unlock();
        }
    }
}
