package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.replica.s3.S3TestClients.bytes;
import static org.litestream4j.replica.s3.S3TestClients.name;
import static org.litestream4j.replica.s3.S3TestClients.put;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaProvider;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.Replicas;
import org.litestream4j.replica.RequestListener;

class S3ProviderTest {

    @Test
    void open_s3Url_findsThisProviderWithoutNetwork() throws Exception {
        try (ReplicaClient client = Replicas.open(ReplicaLocation.of("s3://bucket/path?region=eu-central-1"))) {
            assertThat(client).isInstanceOf(S3ReplicaClient.class);
            assertThat(client.url()).isEqualTo("s3://bucket/path");
        }
    }

    @Test
    void create_sdkMissing_loadsAndSaysWhatToAdd() throws Exception {
        List<URL> urls = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            if (!entry.contains("awssdk")) {
                urls.add(Path.of(entry).toUri().toURL());
            }
        }
        try (URLClassLoader bare = new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            Class<?> type = bare.loadClass(ReplicaProvider.class.getName());
            Object provider = ServiceLoader.load(type, bare).stream()
                    .filter(found -> found.type().getName().equals(S3Provider.class.getName()))
                    .findFirst()
                    .orElseThrow()
                    .get();
            Class<?> locationType = bare.loadClass(ReplicaLocation.class.getName());
            Object location = locationType.getMethod("of", String.class).invoke(null, "s3://bucket/path");
            assertThatThrownBy(() -> type.getMethod("create", locationType).invoke(provider, location))
                    .cause()
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("software.amazon.awssdk:s3");
        }
    }

    @Test
    void close_afterUse_leavesNoThread() throws Exception {
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        S3Server server = new S3Server();
        try (FaultProxy proxy = new FaultProxy(server.port())) {
            ReplicaClient client =
                    S3TestClients.open(S3Server.location(proxy.port(), "threads", ""), RequestListener.NONE);
            put(client, 9, name(1), bytes(11 << 20, 1));
            assertThat(ours(before)).isNotEmpty();
            client.close();
            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> assertThat(ours(before)).isEmpty());
        } finally {
            server.close();
        }
    }

    private static List<String> ours(Set<Thread> before) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> !before.contains(thread))
                .map(Thread::getName)
                .filter(name -> name.startsWith("litestream-"))
                .toList();
    }

    @Test
    void close_beforeAnyRequest_isHarmless() throws Exception {
        ReplicaClient client = Replicas.open(ReplicaLocation.of("s3://bucket/path?region=eu-central-1"));
        client.close();
        client.close();
        assertThatThrownBy(client::prepare).isInstanceOf(IOException.class).hasMessageContaining("closed");
        assertThatThrownBy(() -> client.write(0, name(1), S3TestClients.TIME)).isInstanceOf(IOException.class);
    }

    @Test
    void close_uploadAndStreamOpen_endsBoth() throws Exception {
        S3Server server = new S3Server();
        try {
            ReplicaClient client =
                    S3TestClients.open(S3Server.location(server.port(), "open", ""), RequestListener.NONE);
            put(client, 0, name(1), bytes(1 << 20, 1));
            InputStream in = client.open(0, name(1), 0, ReplicaClient.TO_END);
            ReplicaUpload upload = client.write(0, name(2), S3TestClients.TIME);
            upload.write(1);
            client.close();
            assertThatThrownBy(in::readAllBytes).isInstanceOf(IOException.class);
            assertThatThrownBy(upload::publish).isInstanceOf(IOException.class);
            in.close();
            upload.close();
        } finally {
            server.close();
        }
    }

    @Test
    void close_whileARequestWaits_endsItSoon() throws Exception {
        try (FaultProxy proxy = new FaultProxy(0)) {
            proxy.faults = request -> FaultProxy.error(503, "SlowDown");
            S3Settings settings = S3SettingsParser.parse(S3Server.location(proxy.port(), "path", ""));
            S3Calls.RetryPolicy patient = new S3Calls.RetryPolicy(100, Duration.ofMinutes(5), Duration.ofHours(1));
            ReplicaClient client = new S3ReplicaClient(
                    new S3Connection(settings, (software.amazon.awssdk.auth.credentials.AwsCredentialsProvider) null),
                    RequestListener.NONE,
                    patient,
                    Clock.systemUTC());
            CompletableFuture<Throwable> listing = CompletableFuture.supplyAsync(() -> {
                try {
                    client.prepare();
                    return new AssertionError("prepared");
                } catch (IOException e) {
                    return e;
                }
            });
            await().atMost(Duration.ofSeconds(30)).until(() -> !proxy.seen.isEmpty());
            client.close();
            assertThat(listing.get(30, TimeUnit.SECONDS)).isInstanceOf(IOException.class);
        }
    }

    @Test
    void request_threadInterrupted_keepsTheFlag() throws Exception {
        try (FaultProxy proxy = new FaultProxy(0)) {
            proxy.faults = request -> FaultProxy.error(503, "SlowDown");
            ReplicaClient client =
                    S3TestClients.open(S3Server.location(proxy.port(), "path", ""), RequestListener.NONE);
            Thread.currentThread().interrupt();
            assertThatThrownBy(client::prepare).isInstanceOf(java.io.InterruptedIOException.class);
            assertThat(Thread.interrupted()).isTrue();
            client.close();
        }
    }
}
