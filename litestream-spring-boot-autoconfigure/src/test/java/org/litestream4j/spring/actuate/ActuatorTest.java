package org.litestream4j.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The endpoint and health of a running application, over HTTP. */
class ActuatorTest {

    private static final JsonMapper JSON = JsonMapper.shared();

    @TempDir
    Path folder;

    @Test
    void exposedEndpoint_tellsOneAndAllDatabases() throws Exception {
        try (ConfigurableApplicationContext context = start()) {
            context.getBean(JdbcClient.class).sql("create table t (x)").update();
            HttpResponse<String> all = get(context, "litestream");
            assertThat(all.statusCode()).isEqualTo(200);
            JsonNode database = JSON.readTree(all.body()).path("databases").path(0);
            assertThat(database.propertyNames())
                    .containsExactly(
                            "name",
                            "path",
                            "replica",
                            "state",
                            "captured",
                            "replicated",
                            "lag",
                            "lastError",
                            "lastErrorAt");
            assertThat(database.path("name").asString()).isEqualTo("app.db");
            assertThat(database.path("path").asString())
                    .isEqualTo(folder.resolve("app.db").toString());
            assertThat(database.path("replica").asString()).isEqualTo("file://" + folder.resolve("replica"));
            assertThat(database.path("state").asString()).isEqualTo("REPLICATING");
            assertThat(database.path("captured").asString()).matches("[0-9a-f]{16}");
            assertThat(database.path("lag").asString()).startsWith("PT");
            assertThat(get(context, "litestream/app.db").statusCode()).isEqualTo(200);
            assertThat(get(context, "litestream/none").statusCode()).isEqualTo(404);
        }
    }

    @Test
    void readOnlyAccess_isTheDefault() throws Exception {
        try (ConfigurableApplicationContext context = start()) {
            assertThat(post(context, "litestream/app.db/sync", "{}").statusCode())
                    .isEqualTo(405);
        }
    }

    @Test
    void unrestrictedAccess_syncs() throws Exception {
        try (ConfigurableApplicationContext context = start("--management.endpoint.litestream.access=unrestricted")) {
            context.getBean(JdbcClient.class).sql("create table t (x)").update();
            HttpResponse<String> synced = post(context, "litestream/app.db/sync", "{\"timeout\":\"10s\"}");
            assertThat(synced.statusCode()).isEqualTo(200);
            JsonNode database = JSON.readTree(synced.body());
            assertThat(Duration.parse(database.path("lag").asString())).isLessThan(Duration.ofSeconds(5));
            assertThat(database.path("replicated").asString())
                    .isEqualTo(database.path("captured").asString())
                    .isNotEqualTo("0000000000000000");
            HttpResponse<String> snapshot = post(context, "litestream/app.db/snapshot", "{\"timeout\":\"5m\"}");
            assertThat(snapshot.statusCode()).isEqualTo(200);
            assertThat(JSON.readTree(snapshot.body()).path("txid").asString())
                    .isEqualTo(database.path("captured").asString());
            assertThat(post(context, "litestream/none/sync", "{}").statusCode()).isEqualTo(404);
            assertThat(post(context, "litestream/app.db/erase", "{}").statusCode())
                    .isEqualTo(400);
        }
    }

    @Test
    void health_showsTheDatabase() throws Exception {
        try (ConfigurableApplicationContext context = start("--management.endpoint.health.show-details=always")) {
            HttpResponse<String> health = get(context, "health");
            assertThat(health.statusCode()).isEqualTo(200);
            JsonNode component = JSON.readTree(health.body()).path("components").path("litestream");
            assertThat(component.path("status").asString()).isEqualTo("UP");
            assertThat(component.path("details").path("app.db").path("state").asString())
                    .isIn("WAITING", "REPLICATING");
        }
    }

    @Test
    void readiness_containsReplicationWhereAskedFor() throws Exception {
        String include = "--management.endpoint.health.group.readiness.include=readinessState";
        try (ConfigurableApplicationContext context =
                start("--management.endpoint.health.show-details=always", include + ",litestream")) {
            JsonNode components =
                    JSON.readTree(get(context, "health/readiness").body()).path("components");
            assertThat(components.propertyNames()).containsExactly("litestream", "readinessState");
        }
        try (ConfigurableApplicationContext context =
                start("--management.endpoint.health.show-details=always", include)) {
            JsonNode components =
                    JSON.readTree(get(context, "health/readiness").body()).path("components");
            assertThat(components.propertyNames()).containsExactly("readinessState");
        }
    }

    @Test
    void info_tellsTheDatabases_ifSwitchedOn() throws Exception {
        try (ConfigurableApplicationContext context = start("--management.info.litestream.enabled=true")) {
            context.getBean(JdbcClient.class).sql("create table t (x)").update();
            JsonNode databases = JSON.readTree(get(context, "info").body())
                    .path("litestream")
                    .path("databases");
            assertThat(databases).hasSize(1);
            assertThat(databases.path(0).propertyNames()).containsExactly("name", "replica", "state");
            assertThat(databases.path(0).path("name").asString()).isEqualTo("app.db");
            assertThat(databases.path(0).path("replica").asString()).isEqualTo("file://" + folder.resolve("replica"));
            assertThat(databases.path(0).path("state").asString()).isEqualTo("REPLICATING");
        }
        try (ConfigurableApplicationContext context = start()) {
            assertThat(JSON.readTree(get(context, "info").body()).has("litestream"))
                    .isFalse();
        }
    }

    @Test
    void endpoint_isNotThereUnlessExposed() {
        new ApplicationContextRunner()
                .withUserConfiguration(Application.class)
                .withPropertyValues(settings(List.of()))
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(LitestreamEndpoint.class));
    }

    @Test
    void healthIndicator_canBeSwitchedOff() {
        new ApplicationContextRunner()
                .withUserConfiguration(Application.class)
                .withPropertyValues(settings(List.of("management.health.litestream.enabled=false")))
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(LitestreamHealthIndicator.class));
    }

    private ConfigurableApplicationContext start(String... more) {
        List<String> arguments = new ArrayList<>();
        for (String setting : settings(List.of("management.endpoints.web.exposure.include=health,info,litestream"))) {
            arguments.add("--" + setting);
        }
        arguments.addAll(List.of(more));
        return new SpringApplicationBuilder(Application.class).run(arguments.toArray(String[]::new));
    }

    private String[] settings(List<String> more) {
        List<String> settings = new ArrayList<>(more);
        settings.add("server.port=0");
        settings.add("spring.main.banner-mode=off");
        settings.add("spring.flyway.enabled=false");
        settings.add("spring.liquibase.enabled=false");
        settings.add("spring.data.jdbc.repositories.enabled=false");
        settings.add("spring.datasource.url=jdbc:sqlite:" + folder.resolve("app.db"));
        settings.add("litestream.replica.url=file://" + folder.resolve("replica"));
        return settings.toArray(String[]::new);
    }

    private static HttpResponse<String> get(ConfigurableApplicationContext context, String path) throws Exception {
        return send(HttpRequest.newBuilder(uri(context, path)).build());
    }

    private static HttpResponse<String> post(ConfigurableApplicationContext context, String path, String body)
            throws Exception {
        return send(HttpRequest.newBuilder(uri(context, path))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build());
    }

    private static HttpResponse<String> send(HttpRequest request) throws Exception {
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    }

    private static URI uri(ConfigurableApplicationContext context, String path) {
        return URI.create(
                "http://localhost:" + context.getEnvironment().getProperty("local.server.port") + "/actuator/" + path);
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {}
}
