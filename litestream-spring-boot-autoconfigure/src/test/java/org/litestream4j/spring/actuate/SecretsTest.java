package org.litestream4j.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.litestream4j.Litestream;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.core.env.Environment;

/** An application whose replica cannot be reached, with every secret that there is: none is told by logs or endpoints. */
@ExtendWith(OutputCaptureExtension.class)
class SecretsTest {

    private static final String MARK = "verysecret";

    /** In base64, {@code 0123456789abcdef0123456789abcdef}. */
    private static final String CUSTOMER_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

    @TempDir
    Path folder;

    static Stream<List<String>> replicas() {
        return Stream.of(
                List.of(
                        "--litestream.replica.url=s3://bucket/app?endpoint=http://127.0.0.1:1",
                        "--litestream.replica.s3.access-key-id=id",
                        "--litestream.replica.s3.secret-access-key=" + MARK,
                        "--litestream.replica.s3.session-token=" + MARK + "2",
                        "--litestream.replica.s3.sse-customer-key=" + CUSTOMER_KEY),
                List.of("--litestream.replica.url=s3://bucket/app?endpoint=http://127.0.0.1:1&accessKeyId=id"
                        + "&secretAccessKey=" + MARK + "&sessionToken=" + MARK + "&sseCustomerKey=" + CUSTOMER_KEY));
    }

    /** Also those that no connection is tried with; NATS, running, is tested in the core. */
    static Stream<List<String>> moreReplicas() {
        String nats = "--litestream.replica.url=nats://127.0.0.1:1/bucket?timeout=200ms";
        return Stream.concat(
                replicas(),
                Stream.of(
                        List.of("--litestream.replica.url=nats://bob:" + MARK + "@127.0.0.1:1/bucket"),
                        List.of(nats, "--litestream.replica.nats.nkey=" + MARK),
                        List.of(
                                nats,
                                "--litestream.replica.nats.jwt=" + MARK,
                                "--litestream.replica.nats.seed=" + MARK),
                        List.of(
                                "--litestream.replica.url=s3://bucket/app?endpoint=http://127.0.0.1:1",
                                "--litestream.replica.s3.session-token=" + MARK),
                        List.of(
                                "--litestream.replica.url=s3://bucket/app?endpoint=http://127.0.0.1:1",
                                "--litestream.replica.s3.sse-customer-key=" + MARK)));
    }

    private String[] settings(List<String> replica) {
        List<String> all = new ArrayList<>(replica);
        all.add("--management.endpoints.web.exposure.include=*");
        all.add("--management.endpoint.health.show-details=always");
        all.add("--logging.level.org.litestream4j=DEBUG");
        all.add("--litestream.shutdown-sync-timeout=100ms");
        return all.toArray(String[]::new);
    }

    @ParameterizedTest
    @MethodSource("replicas")
    void running_tellsNoSecret(List<String> replica, CapturedOutput output) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("app.db"))) {
            connection.createStatement().execute("create table t (x)");
        }
        StringBuilder told = new StringBuilder();
        try (HttpApplication application = HttpApplication.start(folder, settings(replica))) {
            application.jdbc().sql("insert into t values (1)").update();
            Litestream litestream = application.bean(Litestream.class);
            await().atMost(Duration.ofSeconds(30)).until(() -> litestream.databases().stream()
                    .allMatch(database -> database.status().lastError() != null));
            litestream.databases().forEach(database -> told.append(database.config())
                    .append(database.status())
                    .append(database.compaction()));
            String port = application.bean(Environment.class).getProperty("local.server.port");
            for (String endpoint : List.of(
                    "",
                    "health",
                    "info",
                    "litestream",
                    "litestream/app.db",
                    "configprops",
                    "env",
                    "beans",
                    "metrics")) {
                HttpRequest request = HttpRequest.newBuilder(
                                URI.create("http://localhost:" + port + "/actuator/" + endpoint))
                        .build();
                told.append(HttpClient.newHttpClient()
                        .send(request, BodyHandlers.ofString())
                        .body());
            }
        }
        assertThat(told).contains("lastError", "127.0.0.1:1");
        assertThat(told.toString().contains(MARK) || told.toString().contains(CUSTOMER_KEY))
                .as("in an endpoint")
                .isFalse();
        assertThat(output.getAll()).contains("replica cannot be reached");
        assertThat(output.getAll().lines())
                .filteredOn(line -> line.contains(MARK) || line.contains(CUSTOMER_KEY))
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("moreReplicas")
    void failedStart_tellsNoSecret(List<String> replica, CapturedOutput output) {
        Throwable failure = catchThrowable(
                () -> HttpApplication.start(folder, settings(replica)).close());
        assertThat(failure).isNotNull();
        StringWriter trace = new StringWriter();
        failure.printStackTrace(new PrintWriter(trace));
        assertThat(trace + output.getAll()).doesNotContain(MARK, CUSTOMER_KEY);
        assertThat(output.getAll()).contains("APPLICATION FAILED TO START");
    }
}
