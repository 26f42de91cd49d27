package org.litestream4j.replica.s3;

import static java.util.Objects.requireNonNull;

import java.net.URI;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaProvider;
import org.litestream4j.replica.RequestListener;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Replicas in S3 and compatible stores: {@code s3://<bucket>/<path>}. Settings and URL parameters are documented in
 * {@code docs/replicas/s3.md}. Thread-safe.
 *
 * <p>Precedence of credentials: access keys in the settings of the replica, then credentials of the application, then
 * the SDK's default chain.
 */
public final class S3Provider implements ReplicaProvider {

    private static final Set<String> SCHEMES = Set.of("s3");

    /** Creates the connection of a client. The implementations need the SDK; this class loads without it. */
    private interface Connector {
        S3Connection connect(ReplicaLocation location);
    }

    private final Connector connector;

    /** Creates a provider that uses the credentials of the settings, or the SDK's default chain. */
    public S3Provider() {
        this(location -> own(location, null));
    }

    private S3Provider(Connector connector) {
        this.connector = connector;
    }

    /**
     * Returns a provider that uses the application's credentials for replicas whose settings contain no access keys.
     * The application closes the credentials.
     */
    public static S3Provider withCredentials(AwsCredentialsProvider credentials) {
        requireNonNull(credentials, "credentials");
        return new S3Provider(location -> own(location, credentials));
    }

    /**
     * Returns a provider as {@link #withClient(S3Client, AwsCredentialsProvider)} does, without credentials of the
     * application.
     */
    public static S3Provider withClient(S3Client client) {
        return withClient(client, null);
    }

    /**
     * Returns a provider that uses the application's client for replicas whose settings and URL contain no connection
     * settings: region, endpoint, path style, access keys, {@code skip-verify}, {@code sign-payload} or
     * {@code require-content-md5}. Other replicas get a client of their own. Retries by the application's client add to
     * those of the provider and are not reported to the listener. The application closes its client, after the replica
     * clients.
     *
     * @param credentials credentials of the separate clients, unless the settings contain access keys; null for the
     *     SDK's default chain
     */
    public static S3Provider withClient(S3Client client, @Nullable AwsCredentialsProvider credentials) {
        requireNonNull(client, "client");
        return new S3Provider(location -> S3SettingsParser.saysHowToConnect(location)
                ? own(location, credentials)
                : new S3Connection(S3SettingsParser.parse(reachedBy(client, location)), client));
    }

    private static S3Connection own(ReplicaLocation location, @Nullable AwsCredentialsProvider credentials) {
        return new S3Connection(S3SettingsParser.parse(location), credentials);
    }

    /**
     * Returns the location with the client's endpoint, which determines the address of the replica and the known
     * properties of the store.
     */
    private static ReplicaLocation reachedBy(S3Client client, ReplicaLocation location) {
        URI endpoint = client.serviceClientConfiguration().endpointOverride().orElse(null);
        if (endpoint == null) {
            return location;
        }
        Map<String, String> settings = new HashMap<>(location.settings());
        settings.put("endpoint", endpoint.toString());
        return new ReplicaLocation(location.url(), settings);
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
        try {
            return new S3ReplicaClient(
                    connector.connect(location), listener, S3Calls.RetryPolicy.DEFAULT, Clock.systemUTC());
        } catch (NoClassDefFoundError e) {
            throw new IllegalStateException(
                    "S3 replicas need the AWS SDK: add software.amazon.awssdk:s3 and"
                            + " software.amazon.awssdk:apache5-client to the application's dependencies",
                    e);
        }
    }
}
