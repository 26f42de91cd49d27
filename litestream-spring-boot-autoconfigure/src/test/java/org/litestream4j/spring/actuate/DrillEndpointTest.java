package org.litestream4j.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.LitestreamEvent.Drilled;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.drill.DrillOutcome;
import org.litestream4j.drill.RestoreDrillCheck;
import org.litestream4j.ltx.Txid;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.EventListener;
import tools.jackson.databind.JsonNode;

/** Drills of an application: by schedule and on request, with all that shows them. */
class DrillEndpointTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private HttpApplication start(String... more) {
        List<String> settings = new ArrayList<>(List.of(
                "--management.endpoint.litestream.access=unrestricted",
                "--management.endpoint.health.show-details=always",
                "--litestream.drill.load=100",
                "--litestream.drill.directory=" + folder.resolve("drills"),
                "--spring.main.sources=" + Drilling.class.getName()));
        settings.addAll(List.of(more));
        return HttpApplication.start(folder, settings.toArray(String[]::new));
    }

    private static ManagedDatabase replicated(HttpApplication app) throws Exception {
        app.jdbc()
                .sql("create table if not exists orders (id integer primary key)")
                .update();
        app.jdbc().sql("insert into orders values (null)").update();
        ManagedDatabase database =
                app.bean(Litestream.class).databases().iterator().next();
        database.sync(TIMEOUT);
        return database;
    }

    private static JsonNode drill(HttpApplication app) throws Exception {
        HttpApplication.Answer started = app.post("app.db/drill", "{}");
        assertThat(started.status()).as(started.toString()).isEqualTo(202);
        assertThat(started.text("location")).isEqualTo("drills");
        await().atMost(TIMEOUT)
                .until(() -> !app.get("app.db/drills").body().path("running").asBoolean());
        return app.get("app.db/drills").body().path("drills").path(0);
    }

    private static JsonNode health(HttpApplication app) {
        var health = app.bean(LitestreamHealthIndicator.class).health();
        return tools.jackson.databind.json.JsonMapper.shared().valueToTree(health);
    }

    @Test
    void requestedDrills_areShownEverywhere_alsoAfterARestart() throws Exception {
        try (HttpApplication app = start("--litestream.drill.checks[0]=select count(*) < 100 from orders")) {
            ManagedDatabase database = replicated(app);
            assertThat(app.get("app.db/drills").body().path("drills").size()).isZero();
            passes(app, database);
            emptiedReplicaIsDownUntilADrillPasses(app, database);
            assertThat(app.post("app.db/drill", "{\"timeout\":\"5s\"}").status())
                    .isEqualTo(400);
            assertThat(app.post("none/drill", "{}").status()).isEqualTo(404);
        }
        try (HttpApplication app =
                start("--litestream.drill.min-free=1000000TB", "--litestream.drill.inconclusive-limit=2")) {
            assertThat(app.get("app.db/drills").body().path("drills").size()).isEqualTo(3); // from the disk
            assertThat(drill(app).path("outcome").asString()).isEqualTo("INCONCLUSIVE");
            assertThat(health(app).path("status").asString()).isEqualTo("UP");
            assertThat(drill(app).path("problem").asString()).contains("free some space");
            assertThat(health(app).path("status").asString()).isEqualTo("DEGRADED");
        }
    }

    private void passes(HttpApplication app, ManagedDatabase database) throws Exception {
        JsonNode report = drill(app);
        assertThat(report.path("outcome").asString()).as(report.toString()).isEqualTo("PASSED");
        assertThat(report.path("newest").path("txid").asString())
                .isEqualTo(database.status().replicated().toString());
        assertThat(report.path("recoveryMillis").isNumber()).isTrue();
        assertThat(health(app).path("status").asString()).isEqualTo("UP");
        assertThat(health(app)
                        .path("details")
                        .path("app.db")
                        .path("drill")
                        .path("outcome")
                        .asString())
                .isEqualTo("PASSED");
        List<Drilled> events = app.bean(Drilling.class).events;
        await().atMost(TIMEOUT).until(() -> !events.isEmpty());
        assertThat(events.get(0).report().outcome()).isEqualTo(DrillOutcome.PASSED);
        assertThat(app.bean(Drilling.class).checked).contains(database.status().replicated());
        assertThat(folder.resolve("drills/drill-history.sqlite")).exists();
    }

    private void emptiedReplicaIsDownUntilADrillPasses(HttpApplication app, ManagedDatabase database) throws Exception {
        try (Stream<Path> files = Files.walk(folder.resolve("replica"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.delete(file);
            }
        }
        JsonNode report = drill(app);
        assertThat(report.path("outcome").asString()).isEqualTo("FAILED");
        assertThat(report.path("findings").path(0).path("kind").asString()).isEqualTo("NO_BACKUP");
        JsonNode health = health(app);
        assertThat(health.path("status").asString()).isEqualTo("DOWN");
        assertThat(health.toString()).contains("NO_BACKUP: ", "there is no backup");
        app.jdbc().sql("insert into orders values (null)").update(); // the engine notices, and heals
        database.sync(TIMEOUT);
        assertThat(drill(app).path("outcome").asString()).isEqualTo("PASSED");
        assertThat(health(app).path("status").asString()).isEqualTo("UP");
    }

    @Test
    void schedule_runsDrillsByItself_withMeters() throws Exception {
        try (HttpApplication app = start(
                "--litestream.drill.enabled=true",
                "--litestream.drill.schedule=* * * * * *",
                "--management.endpoints.web.exposure.include=litestream")) {
            replicated(app);
            await().atMost(TIMEOUT)
                    .until(() -> app.get("app.db/drills").body().path("drills").size() >= 2);
            MeterRegistry registry = app.bean(MeterRegistry.class);
            assertThat(registry.get("litestream.drills")
                            .tag("outcome", "passed")
                            .functionCounter()
                            .count())
                    .isPositive();
            assertThat(registry.get("litestream.drill.failed").gauge().value()).isZero();
            assertThat(registry.get("litestream.drill.recovery").timeGauge().value())
                    .isPositive();
            assertThat(registry.get("litestream.drill.passed.age").timeGauge().value())
                    .isNotNegative();
            Set<String> registered = registry.getMeters().stream()
                    .map(meter -> meter.getId().getName())
                    .filter(name -> name.startsWith("litestream.drill"))
                    .collect(Collectors.toCollection(TreeSet::new));
            Set<String> documented = new TreeSet<>();
            Matcher row = Pattern.compile("(?m)^\\| `(litestream\\.drills?[a-z.]*)`")
                    .matcher(Files.readString(Path.of("../docs/metrics.md")));
            while (row.find()) {
                documented.add(row.group(1));
            }
            assertThat(registered).isEqualTo(documented);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Drilling {

        final List<Drilled> events = new CopyOnWriteArrayList<>();
        final List<Txid> checked = new CopyOnWriteArrayList<>();

        @EventListener
        void drilled(Drilled event) {
            events.add(event);
        }

        @Bean
        RestoreDrillCheck sizeOfOrders() {
            return (Connection connection, Txid txid, Instant timestamp) -> {
                try (Statement statement = connection.createStatement()) {
                    statement.executeQuery("select count(*) from sqlite_schema").close();
                }
                checked.add(txid);
            };
        }
    }
}
