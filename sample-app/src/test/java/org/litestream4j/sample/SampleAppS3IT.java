package org.litestream4j.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.replica.nats.NatsServer;

/** The profile {@code s3}, with the packaged application and the S3 server inside it. */
class SampleAppS3IT {

    @TempDir
    Path folder;

    @Test
    void killedAndItsDataDeleted_comesBackFromTheEmbeddedServer() throws Exception {
        String[] arguments = {
            "--spring.profiles.active=s3", "--litestream.replica.s3.endpoint=http://127.0.0.1:" + NatsServer.freePort()
        };
        try (SampleProcess app = SampleProcess.start(folder, arguments)) {
            app.add("first");
            app.add("second");
            await().atMost(Duration.ofSeconds(30)).until(app::saysReplicated);
            app.kill();
        }
        long objects = objects();
        assertThat(objects).isPositive();
        Folders.delete(folder.resolve("data"));
        try (SampleProcess app = SampleProcess.start(folder, arguments)) {
            assertThat(app.notes()).isEqualTo(Map.of(1L, "first", 2L, "second"));
            assertThat(app.log()).contains("database restored").doesNotContain("Migrating schema", "sample-secret");
            app.add("third");
            app.stop(); // the server outlives the final flush
            assertThat(app.log()).doesNotContain("closed before everything was replicated");
        }
        assertThat(objects()).isGreaterThan(objects);
        Folders.delete(folder.resolve("data"));
        try (SampleProcess app = SampleProcess.start(folder, arguments)) {
            assertThat(app.notes().values()).containsExactly("first", "second", "third");
        }
    }

    /** As a user sees them appear. */
    private long objects() throws IOException {
        try (Stream<Path> paths = Files.walk(folder.resolve("data-s3/litestream-sample/notes"))) {
            return paths.filter(path -> path.toString().endsWith(".ltx")).count();
        }
    }
}
