package org.litestream4j.replica.s3;

import java.net.URI;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import org.gaul.s3proxy.BlobStores;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.litestream4j.replica.ReplicaLocation;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** An S3 server inside the test, in memory, with one bucket. */
public final class S3Server {

    public static final String BUCKET = "backups";

    public static final String ACCESS_KEY = "AKIAOFTHETESTSONLY01";

    public static final String SECRET_KEY = "secretOfTheTestsOnly/+9876543210";

    private final S3Proxy proxy;

    private final S3Client client;

    private final AtomicInteger paths = new AtomicInteger();

    public S3Server() throws Exception {
        this(AuthenticationType.AWS_V4);
    }

    /** One that checks no signatures: requests may be changed on their way. */
    static S3Server trusting() throws Exception {
        return new S3Server(AuthenticationType.NONE);
    }

    private S3Server(AuthenticationType authentication) throws Exception {
        proxy = S3Proxy.builder()
                .blobStore(BlobStores.create("transient-nio2", new Properties()))
                .endpoint(URI.create("http://127.0.0.1:0"))
                .awsAuthentication(authentication, ACCESS_KEY, SECRET_KEY)
                .build();
        proxy.start();
        client = S3Client.builder()
                .endpointOverride(endpoint())
                .region(Region.US_EAST_1)
                .forcePathStyle(true)
                .credentialsProvider(
                        StaticCredentialsProvider.create(AwsBasicCredentials.create(ACCESS_KEY, SECRET_KEY)))
                .build();
        client.createBucket(request -> request.bucket(BUCKET));
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + port());
    }

    int port() {
        return proxy.getPort();
    }

    /** A client of the SDK, to look at the store beside our own. */
    S3Client sdk() {
        return client;
    }

    /** A path that no other test uses. */
    public String freshPath() {
        return "test/" + paths.incrementAndGet();
    }

    static ReplicaLocation location(int port, String path, String parameters) {
        return ReplicaLocation.of("s3://" + BUCKET + "/" + path + "?endpoint=127.0.0.1:" + port + "&accessKeyId="
                + ACCESS_KEY + "&secretAccessKey=" + SECRET_KEY.replace("+", "%2B") + parameters);
    }

    public void close() throws Exception {
        client.close();
        proxy.stop();
    }
}
