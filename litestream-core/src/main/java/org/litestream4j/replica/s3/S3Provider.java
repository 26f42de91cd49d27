package org.litestream4j.replica.s3;

import static java.util.Objects.requireNonNull;

import java.util.Set;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaProvider;
import org.litestream4j.replica.RequestListener;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Replicas in S3 and in stores that speak its protocol: {@code s3://<bucket>/<path>}. Settings and URL parameters are
 * listed in {@code docs/replicas/s3.md}. Thread-safe.
 */
public final class S3Provider implements ReplicaProvider {

    private static final Set<String> SCHEMES = Set.of("s3");

    /** Makes the connection of a client; its implementations need the SDK, this class loads without. */
    private interface Connector {
        S3Connection connect(S3Settings settings);
    }

    private final Connector connector;

    /** With credentials from the settings, else from the SDK's default chain. */
    public S3Provider() {
        this(settings -> new S3Connection(settings, (AwsCredentialsProvider) null));
    }

    private S3Provider(Connector connector) {
        this.connector = connector;
    }

    /** With credentials from a provider of the application, whatever the settings say. The application closes it. */
    public static S3Provider withCredentials(AwsCredentialsProvider credentials) {
        requireNonNull(credentials, "credentials");
        return new S3Provider(settings -> new S3Connection(settings, credentials));
    }

    /**
     * With the application's own client for all replicas: of the settings, bucket, path, storage class, encryption, part
     * size, concurrency and conditional writes apply, and what concerns the connection does not. Its repetitions come
     * on top of ours, unseen by the listener. The application closes it, after the replica clients.
     */
    public static S3Provider withClient(S3Client client) {
        requireNonNull(client, "client");
        return new S3Provider(settings -> new S3Connection(settings, client));
    }

    @Override
    public Set<String> schemes() {
        return SCHEMES;
    }

    @Override
    public ReplicaClient create(ReplicaLocation location) {
        return create(location, RequestListener.NONE);
    }

    /** @throws IllegalStateException if the AWS SDK is not on the class path */
    @Override
    public ReplicaClient create(ReplicaLocation location, RequestListener listener) {
        S3Settings settings = S3SettingsParser.parse(location);
        try {
            return new S3ReplicaClient(settings, connector.connect(settings), listener, S3Calls.Patience.DEFAULT);
        } catch (NoClassDefFoundError e) {
            throw new IllegalStateException(
                    "S3 replicas need the AWS SDK: add software.amazon.awssdk:s3 and"
                            + " software.amazon.awssdk:apache5-client to the application's dependencies",
                    e);
        }
    }
}
