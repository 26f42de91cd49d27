package org.litestream4j.replica.s3;

import java.io.Closeable;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.replica.RequestListener.Operation;
import org.litestream4j.replica.RequestListener.Outcome;
import org.litestream4j.replica.RequestListener.Request;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** The SDK's client, made at the first request: making it may ask the store where the bucket is. Thread-safe. */
final class S3Connection implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(S3Connection.class);

    /** Where the question for a bucket's region is asked; any region answers it. */
    private static final String ASKED_REGION = "us-east-1";

    private static final String BUCKET_REGION = "x-amz-bucket-region";

    private final S3Settings settings;

    private final @Nullable AwsCredentialsProvider credentials;

    private final boolean owned;

    private final ReentrantLock lock = new ReentrantLock();

    private volatile @Nullable S3Client client;

    private volatile boolean closed;

    /**
     * Makes the client, and closes it.
     *
     * @param credentials used where the settings have none; null for the SDK's default chain
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
     * The client.
     *
     * @param listener told of the request that looks for the region, where one is needed
     * @throws SdkException if the region cannot be found out
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

    void checkOpen() throws ReplicaException {
        if (closed) {
            throw new ReplicaException(settings.url(), "the client of this replica was closed", "", null);
        }
    }

    private String lookUpRegion(RequestListener listener) {
        try (S3Client any = S3Clients.build(settings, ASKED_REGION, credentials)) {
            String region = regionOf(any, settings.bucket());
            listener.onRequest(new Request(Operation.HEAD, Outcome.SUCCESS, 0, 0));
            LOG.debug("replica={} bucket is in region {}", settings.url(), region);
            return region;
        }
    }

    /** The region of a bucket: stores name it in their answer even where they refuse the question. */
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
