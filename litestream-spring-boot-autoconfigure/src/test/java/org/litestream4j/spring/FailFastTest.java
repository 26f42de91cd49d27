package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.function.Consumer;
import org.gaul.s3proxy.BlobStores;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.spring.actuate.LitestreamHealthAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;

/** A replica that refuses: the application starts if its database is there. */
class FailFastTest {

    @TempDir
    Path folder;

    private ApplicationContextRunner application(String... settings) {
        return Runners.jdbc(folder)
                .withConfiguration(AutoConfigurations.of(LitestreamHealthAutoConfiguration.class))
                .withPropertyValues("litestream.shutdown-sync-timeout=0s")
                .withPropertyValues(settings);
    }

    private static void write(ApplicationContext context) {
        JdbcClient jdbc = context.getBean(JdbcClient.class);
        jdbc.sql("create table if not exists t (x)").update();
        jdbc.sql("insert into t values (1)").update();
    }

    private static void assertDown(ApplicationContext context) {
        write(context);
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(context.getBean("litestreamHealthIndicator", HealthIndicator.class)
                                .health()
                                .getStatus()
                                .getCode())
                        .isEqualTo("DOWN"));
        ManagedDatabase database =
                context.getBean(Litestream.class).databases().iterator().next();
        assertThat(database.status().lastError()).isNotNull();
    }

    private void assertStartsWithItsDatabaseOnly(String... refusing) throws Exception {
        application(refusing).run(context -> assertThat(context).hasFailed());
        application().run(FailFastTest::write);
        application(refusing).run(context -> {
            assertThat(context).hasNotFailed();
            assertDown(context);
        });
        application(refusing)
                .withPropertyValues("litestream.replica.fail-fast=always")
                .run(context -> assertThat(context).hasFailed());
        Runners.loseDisk(folder);
        application(refusing).run(context -> assertThat(context).hasFailed());
    }

    @Test
    void missingBucketAndRotatedKeys_stopOnlyAMissingDatabase() throws Exception {
        inStore(store -> {
            for (String secret : List.of("theSecret", "anotherSecret")) {
                try {
                    assertStartsWithItsDatabaseOnly(
                            "litestream.replica.url=s3://backups/app",
                            "litestream.replica.s3.endpoint=http://127.0.0.1:" + store.getPort(),
                            "litestream.replica.s3.access-key-id=theKey",
                            "litestream.replica.s3.secret-access-key=" + secret);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }
        });
    }

    @Test
    void folderThatIsAFile_stopsOnlyAMissingDatabase() throws Exception {
        Path file = Files.writeString(folder.resolve("in-the-way"), "not a folder");
        assertStartsWithItsDatabaseOnly("litestream.replica.url=file://" + file);
    }

    private static void inStore(Consumer<S3Proxy> action) throws Exception {
        S3Proxy store = S3Proxy.builder()
                .blobStore(BlobStores.create("transient-nio2", new Properties()))
                .endpoint(URI.create("http://127.0.0.1:0"))
                .awsAuthentication(AuthenticationType.AWS_V4, "theKey", "theSecret")
                .build();
        store.start();
        try {
            action.accept(store);
        } finally {
            store.stop();
        }
    }
}
