package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.spring.notification.NotificationAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.json.JsonParserFactory;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Heartbeats and webhooks, received by a web server. */
class NotificationsTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private final List<Request> requests = new CopyOnWriteArrayList<>();
    private HttpServer server;

    /** Number of requests that the server refuses before it accepts one. */
    private volatile int refused;

    private record Request(String method, String path, Map<String, List<String>> headers, String body) {
        String header(String name) {
            return headers.getOrDefault(name, List.of("")).get(0);
        }

        Map<String, Object> json() {
            return JsonParserFactory.getJsonParser().parseMap(body);
        }
    }

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            requests.add(new Request(
                    exchange.getRequestMethod(),
                    exchange.getRequestURI().getPath(),
                    Map.copyOf(exchange.getRequestHeaders()),
                    body));
            boolean accepted = refused <= 0;
            refused--;
            exchange.sendResponseHeaders(accepted ? 200 : 503, -1);
        }
    }

    private String url(String path) {
        return "http://127.0.0.1:" + server.getAddress().getPort() + path;
    }

    private List<String> paths() {
        return requests.stream().map(Request::path).toList();
    }

    private ApplicationContextRunner runner() {
        return Runners.jdbc(folder)
                .withConfiguration(AutoConfigurations.of(NotificationAutoConfiguration.class))
                .withPropertyValues("spring.application.name=shop");
    }

    @Test
    void heartbeat_isSentAsLongAsTheDatabaseIsReplicated() {
        runner().withPropertyValues(
                        "litestream.heartbeat.url=" + url("/alive"),
                        "litestream.heartbeat.start-url=" + url("/start"),
                        "litestream.heartbeat.failure-url=" + url("/fail"),
                        "litestream.heartbeat.interval=1s")
                .run(context -> {
                    context.getBean(JdbcClient.class).sql("create table t (x)").update();
                    await().atMost(TIMEOUT).until(() -> paths().contains("/alive"));
                    assertThat(paths().get(0)).isEqualTo("/start");
                    Path replica = folder.resolve("replica");
                    Path away = folder.resolve("away");
                    Files.move(replica, away);
                    Files.writeString(replica, "not a folder");
                    context.getBean(JdbcClient.class)
                            .sql("insert into t values (1)")
                            .update();
                    await().atMost(TIMEOUT).until(() -> paths().contains("/fail"));
                    long before = alive();
                    Files.delete(replica);
                    Files.move(away, replica);
                    await().atMost(TIMEOUT).until(() -> alive() > before);
                    assertThat(paths()).containsOnlyOnce("/start", "/fail");
                    assertThat(requests).allMatch(request -> request.method().equals("GET"));
                });
    }

    private long alive() {
        return paths().stream().filter("/alive"::equals).count();
    }

    @Test
    void webhook_receivesSignedEventsAndRepeatsWhatWasRefused() throws Exception {
        refused = 1;
        runner().withPropertyValues(
                        "litestream.webhooks[0].url=" + url("/all"),
                        "litestream.webhooks[0].secret=s3cr3t",
                        "litestream.webhooks[1].url=" + url("/some"),
                        "litestream.webhooks[1].events=snapshot-published")
                .run(context -> {
                    JdbcClient jdbc = context.getBean(JdbcClient.class);
                    jdbc.sql("create table t (x)").update();
                    ManagedDatabase database =
                            context.getBean(Litestream.class).database("app.db").orElseThrow();
                    database.sync(TIMEOUT);
                    jdbc.sql("insert into t values (1)").update(); // the first image is a snapshot without an event
                    database.snapshot(TIMEOUT);
                    await().atMost(TIMEOUT)
                            .until(() -> paths().contains("/some")
                                    && requests.stream()
                                                    .filter(this::isSnapshot)
                                                    .count()
                                            >= 2);
                });
        Request first = requests.get(0);
        Request repeated = requests.stream()
                .skip(1)
                .filter(request -> request.path().equals("/all"))
                .findFirst()
                .orElseThrow();
        assertThat(repeated.body()).isEqualTo(first.body());
        assertThat(repeated.header("Litestream-delivery")).isEqualTo(first.header("Litestream-delivery"));
        assertThat(first.json()).containsEntry("event", "registered").containsEntry("application", "shop");
        assertThat(first.header("Content-type")).isEqualTo("application/json");
        Request snapshot = requests.stream()
                .filter(request -> request.path().equals("/some"))
                .findFirst()
                .orElseThrow();
        assertThat(snapshot.json())
                .containsEntry("event", "snapshot-published")
                .containsEntry("database", "app.db")
                .containsKeys("id", "at", "replica", "txid");
        assertThat(snapshot.header("Litestream-signature")).isEmpty();
        assertThat(requests)
                .filteredOn(request -> request.path().equals("/some"))
                .allMatch(this::isSnapshot);
        for (Request request : requests) {
            if (request.path().equals("/all")) {
                assertThat(request.header("Litestream-signature")).isEqualTo("sha256=" + signature(request));
            }
        }
    }

    private boolean isSnapshot(Request request) {
        return request.header("Litestream-event").equals("snapshot-published");
    }

    private static String signature(Request request) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec("s3cr3t".getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        String signed = request.header("Litestream-timestamp") + "." + request.body();
        return HexFormat.of().formatHex(mac.doFinal(signed.getBytes(StandardCharsets.UTF_8)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            litestream.heartbeat.url=CANARY                                                | litestream.heartbeat.url is not a URL of a web server
            litestream.heartbeat.url=https://user:CANARY@host/                             | litestream.heartbeat.url is not a URL of a web server
            litestream.heartbeat.url=https://host/CANARY,litestream.heartbeat.interval=1ms | litestream.heartbeat.interval is shorter than a second
            litestream.webhooks[0].events=conflict                                         | litestream.webhooks[0].url is missing
            litestream.webhooks[0].url=ftp://CANARY                                        | litestream.webhooks[0].url is not a URL of a web server
            litestream.webhooks[0].url=https://host/CANARY,litestream.webhooks[0].events=x | litestream.webhooks[0].events contains a name that is not an event
            litestream.webhooks[0].urls=https://host/CANARY                                | There is no setting litestream.webhooks[0].urls
            """)
    void wrongSetting_failsTheStartAndNamesIt(String settings, String problem) {
        runner().withPropertyValues(settings.split(",")).run(context -> {
            assertThat(context).hasFailed();
            String text = stackTrace(context.getStartupFailure());
            assertThat(text).contains(problem).doesNotContain("CANARY");
        });
    }

    private static String stackTrace(Throwable failure) {
        StringBuilder text = new StringBuilder();
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            text.append(cause).append('\n');
        }
        return text.toString();
    }

    @Test
    void withoutSettings_nothingIsSent() {
        runner().run(context -> {
            assertThat(context).doesNotHaveBean("litestreamHeartbeat");
            assertThat(Thread.getAllStackTraces().keySet())
                    .noneMatch(thread -> thread.getName().startsWith("litestream-webhook"));
        });
    }
}
