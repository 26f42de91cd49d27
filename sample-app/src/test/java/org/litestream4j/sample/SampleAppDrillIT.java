package org.litestream4j.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The profile {@code operations}, with the packaged application; drills every second instead of every minute. */
class SampleAppDrillIT {

    @TempDir
    Path folder;

    @Test
    void drills_areShown_andNoticeAnEmptiedReplica() throws Exception {
        try (SampleProcess app = SampleProcess.start(
                folder, "--spring.profiles.active=operations", "--litestream.drill.schedule=* * * * * *")) {
            app.add("first");
            await().atMost(Duration.ofSeconds(30)).until(app::saysReplicated);
            awaitDrill(app, "PASSED");
            assertThat(app.text("/actuator/prometheus")).contains("litestream_drill_failed{database=\"app.db\"} 0.0");
            try (Stream<Path> files = Files.walk(folder.resolve("data-backup"))) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    Files.delete(file);
                }
            }
            JsonNode drill = awaitDrill(app, "FAILED");
            assertThat(drill.path("text").asString()).contains("there is no backup");
            app.add("second"); // the engine notices, and uploads what is missing
            awaitDrill(app, "PASSED");
            app.stop();
        }
        try (Stream<Path> left = Files.list(folder.resolve("data-drills"))) {
            assertThat(left.map(path -> path.getFileName().toString())).containsExactly("drill-history.sqlite");
        }
    }

    private static JsonNode awaitDrill(SampleProcess app, String outcome) {
        return await().atMost(Duration.ofSeconds(60))
                .until(
                        () -> app.get("/api/replication").path("drill"),
                        drill -> drill.path("outcome").asString("").equals(outcome));
    }
}
