package org.litestream4j.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.replica.Mark;
import org.litestream4j.spring.LitestreamOperations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Marks over HTTP, and by {@link LitestreamOperations}. */
class MarksEndpointTest {

    private static final JsonMapper JSON = JsonMapper.shared();

    @TempDir
    Path folder;

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {}

    @Test
    void marks_areSetListedRestoredAndRemoved() throws Exception {
        try (ConfigurableApplicationContext context = start()) {
            JdbcClient jdbc = context.getBean(JdbcClient.class);
            jdbc.sql("create table t(x)").update();
            jdbc.sql("insert into t values ('before')").update();
            HttpResponse<String> set = send(context, "POST", "marks", "{\"name\":\"before-migration-42\"}");
            assertThat(set.statusCode()).as(set.body()).isEqualTo(200);
            JsonNode mark = JSON.readTree(set.body());
            assertThat(mark.propertyNames()).containsExactly("name", "txid", "timestamp", "created", "expires");
            assertThat(mark.path("name").asString()).isEqualTo("before-migration-42");
            assertThat(mark.path("expires").isNull()).isTrue();
            jdbc.sql("update t set x = 'after'").update();
            Map<String, Mark> all = context.getBean(LitestreamOperations.class).mark("release-1.0");
            assertThat(all).containsOnlyKeys("app.db");
            HttpResponse<String> old = send(
                    context,
                    "POST",
                    "marks",
                    "{\"name\":\"again\",\"expiresAfter\":\"7d\",\"txid\":\""
                            + mark.path("txid").asString() + "\"}");
            assertThat(old.statusCode()).as(old.body()).isEqualTo(200);
            Instant expires =
                    Instant.parse(JSON.readTree(old.body()).path("expires").asString());
            assertThat(expires).isAfter(Instant.now().plus(Duration.ofDays(6)));

            JsonNode list =
                    JSON.readTree(send(context, "GET", "marks", null).body()).path("marks");
            assertThat(List.of(0, 1, 2))
                    .map(i -> list.path(i).path("name").asString())
                    .containsExactly("again", "before-migration-42", "release-1.0");
            assertThat(send(context, "GET", "marks/again", null).body()).contains("\"name\":\"again\"");
            assertThat(send(context, "GET", "marks/none", null).statusCode()).isEqualTo(404);

            HttpResponse<String> restore =
                    send(context, "POST", "restore", "{\"mark\":\"before-migration-42\",\"inPlace\":true}");
            assertThat(restore.statusCode()).as(restore.body()).isEqualTo(202);
            String id = JSON.readTree(restore.body()).path("id").asString();
            await().atMost(Duration.ofMinutes(1)).until(() -> !JSON.readTree(
                            send(context, "GET", "restores/" + id, null).body())
                    .path("endedAt")
                    .isNull());
            assertThat(jdbc.sql("select x from t").query(String.class).single()).isEqualTo("before");

            assertThat(send(context, "DELETE", "marks/again", null).statusCode())
                    .isEqualTo(200);
            assertThat(send(context, "DELETE", "marks/again", null).statusCode())
                    .isEqualTo(404);
            assertThat(send(context, "GET", "marks", null).body()).doesNotContain("again");
        }
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("app.db"));
                ResultSet result = connection.createStatement().executeQuery("select x from t")) {
            assertThat(result.getString(1)).isEqualTo("before");
        }
    }

    @Test
    void badRequests_areExplained() throws Exception {
        try (ConfigurableApplicationContext context = start()) {
            context.getBean(JdbcClient.class).sql("create table t(x)").update();
            assertProblem(context, "{}", 400, "the name of the mark is missing");
            assertProblem(context, "{\"name\":\"../x\"}", 400, "1 to 64 letters");
            assertProblem(context, "{\"name\":\"x\",\"txid\":\"ffff\"}", 400, "transaction not available");
            assertProblem(context, "{\"name\":\"x\",\"expiresAfter\":\"-1d\"}", 400, "must be positive");
            assertProblem(context, "{\"name\":\"x\",\"force\":true}", 400, "does not apply to marks");
            assertProblem(context, "{\"nome\":\"x\"}", 400, "unknown field: nome");
            assertThat(send(context, "POST", "marks", "{\"name\":\"x\"}").statusCode())
                    .isEqualTo(200);
            assertProblem(context, "{\"name\":\"x\"}", 409, "there is already a mark named x");
            HttpResponse<String> sync = send(context, "POST", "sync", "{\"name\":\"x\"}");
            assertThat(sync.statusCode()).isEqualTo(400);
        }
    }

    private void assertProblem(ConfigurableApplicationContext context, String body, int status, String text)
            throws Exception {
        HttpResponse<String> answer = send(context, "POST", "marks", body);
        assertThat(answer.body()).contains(text);
        assertThat(answer.statusCode()).isEqualTo(status);
    }

    private ConfigurableApplicationContext start() {
        return new SpringApplicationBuilder(Application.class)
                .run(
                        "--server.port=0",
                        "--spring.main.banner-mode=off",
                        "--spring.flyway.enabled=false",
                        "--spring.liquibase.enabled=false",
                        "--spring.data.jdbc.repositories.enabled=false",
                        "--management.endpoints.web.exposure.include=litestream",
                        "--management.endpoint.litestream.access=unrestricted",
                        "--spring.datasource.url=jdbc:sqlite:" + folder.resolve("app.db"),
                        "--litestream.replica.url=file://" + folder.resolve("replica"));
    }

    private static HttpResponse<String> send(
            ConfigurableApplicationContext context, String method, String path, String body) throws Exception {
        String port = context.getEnvironment().getProperty("local.server.port");
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://localhost:" + port + "/actuator/litestream/app.db/" + path))
                .header("Content-Type", "application/json")
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                .build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    }
}
