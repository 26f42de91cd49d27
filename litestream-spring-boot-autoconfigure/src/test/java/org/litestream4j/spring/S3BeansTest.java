package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.gaul.s3proxy.BlobStores;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaProvider;
import org.litestream4j.replica.Replicas;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.jdbc.core.simple.JdbcClient;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Object;

/** An application's own client and credentials, against an S3 server in this process. */
class S3BeansTest {

    private static final AwsCredentialsProvider KEYS = keys("AKIAOFTHETESTSONLY01", "secretOfTheTestsOnly");
    private static final AwsCredentialsProvider WRONG_KEYS = keys("AKIAOFSOMEBODYELSE01", "not the secret");

    private static S3Proxy server;
    private static S3Client outside;

    @TempDir
    Path folder;

    /** Requests sent by the client that is a bean. */
    private final AtomicInteger requests = new AtomicInteger();

    @BeforeAll
    static void start() throws Exception {
        server = S3Proxy.builder()
                .blobStore(BlobStores.create("transient-nio2", new Properties()))
                .endpoint(URI.create("http://127.0.0.1:0"))
                .awsAuthentication(AuthenticationType.AWS_V4, "AKIAOFTHETESTSONLY01", "secretOfTheTestsOnly")
                .build();
        server.start();
        outside = client(KEYS, new AtomicInteger());
        outside.createBucket(request -> request.bucket("backups"));
    }

    @AfterAll
    static void stop() throws Exception {
        outside.close();
        server.stop();
    }

    private static AwsCredentialsProvider keys(String id, String secret) {
        return StaticCredentialsProvider.create(AwsBasicCredentials.create(id, secret));
    }

    private static String endpoint() {
        return "http://127.0.0.1:" + server.getPort();
    }

    private static S3Client client(AwsCredentialsProvider credentials, AtomicInteger requests) {
        return S3Client.builder()
                .endpointOverride(URI.create(endpoint()))
                .region(Region.US_EAST_1)
                .forcePathStyle(true)
                .credentialsProvider(credentials)
                .overrideConfiguration(configuration -> configuration.addExecutionInterceptor(new Counter(requests)))
                .build();
    }

    private record Counter(AtomicInteger requests) implements ExecutionInterceptor {

        @Override
        public void beforeTransmission(Context.BeforeTransmission context, ExecutionAttributes attributes) {
            requests.incrementAndGet();
        }
    }

    private ApplicationContextRunner application(String path, String... settings) {
        return Runners.jdbc(folder)
                .withPropertyValues("litestream.replica.url=s3://backups/" + path)
                .withPropertyValues(settings);
    }

    private static List<String> objects(String path) {
        return outside.listObjectsV2(request -> request.bucket("backups").prefix(path + "/")).contents().stream()
                .map(S3Object::key)
                .toList();
    }

    /** Writes, closes (which replicates the last commit), loses the disk, and finds the row again. */
    private void survivesALostDisk(ApplicationContextRunner application, String path) throws Exception {
        application.run(context -> {
            assertThat(context).hasNotFailed();
            JdbcClient jdbc = context.getBean(JdbcClient.class);
            jdbc.sql("create table note (text)").update();
            jdbc.sql("insert into note values ('kept')").update();
        });
        assertThat(objects(path)).isNotEmpty();
        Runners.loseDisk(folder);
        application.run(context -> assertThat(context.getBean(JdbcClient.class)
                        .sql("select text from note")
                        .query(String.class)
                        .list())
                .containsExactly("kept"));
    }

    @Test
    void clientBean_isUsedUntilTheLastFlush() throws Exception {
        survivesALostDisk(application("client").withBean(S3Client.class, () -> client(KEYS, requests)), "client");
        assertThat(requests).hasPositiveValue();
    }

    @Test
    void credentialsBean_isUsed() throws Exception {
        survivesALostDisk(
                application("credentials", "litestream.replica.s3.endpoint=" + endpoint())
                        .withBean(AwsCredentialsProvider.class, () -> KEYS),
                "credentials");
    }

    @Test
    void connectionSettings_beatTheClientBean_credentialsBeanServesThem() throws Exception {
        survivesALostDisk(
                application("both", "litestream.replica.s3.endpoint=" + endpoint())
                        .withBean(S3Client.class, () -> client(WRONG_KEYS, requests))
                        .withBean(AwsCredentialsProvider.class, () -> KEYS),
                "both");
        assertThat(requests).hasValue(0);
    }

    @Test
    void keySettings_beatBothBeans() throws Exception {
        survivesALostDisk(
                application(
                                "keys",
                                "litestream.replica.s3.endpoint=" + endpoint(),
                                "litestream.replica.s3.access-key-id=AKIAOFTHETESTSONLY01",
                                "litestream.replica.s3.secret-access-key=secretOfTheTestsOnly")
                        .withBean(S3Client.class, () -> client(WRONG_KEYS, requests))
                        .withBean(AwsCredentialsProvider.class, () -> WRONG_KEYS),
                "keys");
        assertThat(requests).hasValue(0);
    }

    @Test
    void twoClientBeans_thePrimaryIsUsed() throws Exception {
        AtomicInteger others = new AtomicInteger();
        survivesALostDisk(
                application("two")
                        .withBean("other", S3Client.class, () -> client(WRONG_KEYS, others))
                        .withBean(
                                "primary",
                                S3Client.class,
                                () -> client(KEYS, requests),
                                definition -> definition.setPrimary(true)),
                "two");
        assertThat(requests).hasPositiveValue();
        assertThat(others).hasValue(0);
    }

    @Test
    void clientBean_noS3Replica_isNotTouched() {
        Runners.jdbc(folder)
                .withBean(
                        S3Client.class,
                        () -> {
                            throw new AssertionError("made");
                        },
                        definition -> definition.setLazyInit(true))
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void providerBean_servesItsScheme() {
        application("own", "litestream.replica.url=vault://app")
                .withBean(ReplicaProvider.class, () -> new Vault(folder.resolve("vault")))
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(context.getBean(Litestream.class).databases())
                            .singleElement()
                            .extracting(database -> database.status().replica())
                            .isEqualTo("file://" + folder.resolve("vault"));
                });
    }

    private record Vault(Path folder) implements ReplicaProvider {

        @Override
        public Set<String> schemes() {
            return Set.of("vault");
        }

        @Override
        public ReplicaClient create(ReplicaLocation location) {
            return Replicas.open(ReplicaLocation.of("file://" + folder));
        }
    }

    @Test
    void sdkMissing_otherReplicasWork() {
        Runners.jdbc(folder)
                .withClassLoader(new FilteredClassLoader("software.amazon.awssdk"))
                .run(context -> assertThat(context).hasNotFailed());
    }
}
