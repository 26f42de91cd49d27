package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.s3.S3TestClients.bytes;
import static org.litestream4j.replica.s3.S3TestClients.name;
import static org.litestream4j.replica.s3.S3TestClients.put;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.RequestListener;
import org.slf4j.LoggerFactory;

/** A store with a certificate that nobody signed. */
class S3TlsTest {

    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir
    static Path folder;

    private static final List<String> PAYLOADS = new CopyOnWriteArrayList<>();

    private static HttpsServer server;

    @BeforeAll
    static void start() throws Exception {
        Path store = folder.resolve("keys.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "test",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=somewhere.else",
                        "-storepass",
                        new String(PASSWORD),
                        "-keystore",
                        store.toString())
                .inheritIO()
                .start();
        assertThat(keytool.waitFor(30, TimeUnit.SECONDS)).isTrue();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD);
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context));
        server.createContext("/", exchange -> {
            exchange.getRequestBody().readAllBytes();
            boolean put = exchange.getRequestMethod().equals("PUT");
            if (put) {
                PAYLOADS.add(exchange.getRequestHeaders().getFirst("x-amz-content-sha256"));
            }
            exchange.getResponseHeaders().set("ETag", "\"e\"");
            exchange.sendResponseHeaders(put ? 200 : 404, -1);
            exchange.close();
        });
        server.start();
    }

    @AfterAll
    static void stop() {
        server.stop(0);
    }

    private static ReplicaClient client(String parameters) {
        return S3TestClients.open(
                ReplicaLocation.of("s3://bucket/path?endpoint=https://127.0.0.1:"
                        + server.getAddress().getPort() + "&accessKeyId=id&secretAccessKey=secret" + parameters),
                RequestListener.NONE);
    }

    @Test
    void put_unknownCertificate_isRefusedWithRemedy() throws Exception {
        PAYLOADS.clear();
        try (ReplicaClient client = client("")) {
            assertThatThrownBy(() -> put(client, 0, name(1), bytes(10, 1)))
                    .isInstanceOf(ReplicaAccessException.class)
                    .hasMessageContaining("trust store");
        }
        assertThat(PAYLOADS).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void put_skipVerify_succeedsSignedOrNot(boolean signed) throws Exception {
        PAYLOADS.clear();
        Logger logger = (Logger) LoggerFactory.getLogger(S3Connection.class);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        logger.addAppender(log);
        try (ReplicaClient client = client("&skipVerify=true&signPayload=" + signed)) {
            put(client, 0, name(1), bytes(10, 1));
            put(client, 0, name(2), bytes(10, 1));
        } finally {
            logger.detachAppender(log);
        }
        assertThat(log.list)
                .as("said once, with the first request")
                .singleElement()
                .satisfies(line -> {
                    assertThat(line.getLevel()).isEqualTo(Level.WARN);
                    assertThat(line.getFormattedMessage())
                            .contains("any certificate is accepted", "remove skip-verify");
                });
        assertThat(PAYLOADS).isNotEmpty().allSatisfy(payload -> assertThat(payload)
                .matches(signed ? "[0-9a-f]{64}" : "UNSIGNED-PAYLOAD"));
    }
}
