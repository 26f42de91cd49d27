package org.litestream4j.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.replica.nats.NatsServer;

/** The profile {@code nats}, with the packaged application and a real server. */
class SampleAppNatsIT {

    @TempDir
    Path folder;

    @Test
    void killedAndItsDataDeleted_comesBackFromTheServer() throws Exception {
        try (NatsServer server = NatsServer.start(folder.resolve("nats"))) {
            String[] arguments = {"--spring.profiles.active=nats", "--litestream.replica.nats.urls=" + server.address()
            };
            try (SampleProcess app = SampleProcess.start(folder, arguments)) {
                app.add("first");
                app.add("second");
                await().atMost(Duration.ofSeconds(30)).until(app::saysReplicated);
                assertThat(app.get("/api/replication").path("replica").asString())
                        .endsWith("/litestream-sample");
                app.kill();
            }
            Folders.delete(folder.resolve("data"));
            assertThat(Files.exists(folder.resolve("data-backup"))).isFalse();
            try (SampleProcess app = SampleProcess.start(folder, arguments)) {
                assertThat(app.notes()).isEqualTo(Map.of(1L, "first", 2L, "second"));
                assertThat(app.log()).contains("database restored");
                app.stop();
            }
        }
    }
}
