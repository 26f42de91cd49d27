package org.litestream4j.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged application with the code that AOT processing generated, and in a training run. */
class SampleAppAotIT {

    private static final List<String> AOT = List.of("-Dspring.aot.enabled=true");

    @TempDir
    Path folder;

    @Test
    void generatedCode_killedAndItsDataDeleted_comesBack() throws Exception {
        try (SampleProcess app = SampleProcess.start(folder, AOT)) {
            assertThat(app.log()).contains("Starting AOT-processed SampleApplication");
            app.add("first");
            app.add("second");
            await().atMost(Duration.ofSeconds(30)).until(app::saysReplicated);
            app.kill();
        }
        Folders.delete(folder.resolve("data"));
        try (SampleProcess app = SampleProcess.start(folder, AOT)) {
            assertThat(app.notes()).isEqualTo(Map.of(1L, "first", 2L, "second"));
            assertThat(app.log()).contains("database restored");
            assertThat(app.get("/actuator/health").path("status").asString()).isEqualTo("UP");
            assertThat(app.get("/actuator/litestream").path("databases")).hasSize(1);
            assertThat(app.text("/actuator/prometheus")).contains("litestream_");
            app.add("third");
            app.stop();
        }
        Folders.delete(folder.resolve("data"));
        try (SampleProcess app = SampleProcess.start(folder, AOT)) {
            assertThat(app.notes().values()).containsExactly("first", "second", "third");
        }
    }

    @Test
    void trainingRun_touchesNeitherDatabaseNorReplica() throws Exception {
        Path log = folder.resolve("training.log");
        Process training = SampleProcess.launch(folder, log, List.of("-Dspring.context.exit=onRefresh"));
        try {
            assertThat(training.waitFor(300, TimeUnit.SECONDS)).isTrue();
        } finally {
            training.destroyForcibly();
        }
        assertThat(training.exitValue()).as(Files.readString(log)).isZero();
        assertThat(Files.readString(log)).contains("training run: ").contains("Migrating schema");
        assertThat(folder.resolve("data-backup")).doesNotExist();
        try (Stream<Path> files = Files.walk(folder)) {
            assertThat(files.filter(Files::isRegularFile)).containsExactly(log);
        }
    }
}
