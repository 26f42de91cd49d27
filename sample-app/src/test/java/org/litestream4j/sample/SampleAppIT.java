package org.litestream4j.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the README promises, with the packaged application. */
class SampleAppIT {

    private static final Duration REPLICATED_WITHIN = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    @Test
    void killedAndItsDataDeleted_comesBackWithEveryReplicatedNote() throws Exception {
        try (SampleProcess app = SampleProcess.start(folder)) {
            app.add("first");
            app.add("second");
            await().atMost(REPLICATED_WITHIN).until(app::saysReplicated);
            app.kill();
        }
        Folders.delete(folder.resolve("data"));
        try (SampleProcess app = SampleProcess.start(folder)) {
            assertThat(app.notes()).isEqualTo(Map.of(1L, "first", 2L, "second"));
            assertThat(app.log()).contains("database restored").doesNotContain("Migrating schema");
            app.add("third");
            app.stop();
        }
        // The final flush: nothing waited for the third note.
        Folders.delete(folder.resolve("data"));
        try (SampleProcess app = SampleProcess.start(folder)) {
            assertThat(app.notes().values()).containsExactly("first", "second", "third");
            assertThat(app.get("/actuator/health").path("status").asString()).isEqualTo("UP");
            assertThat(app.get("/actuator/litestream").path("databases")).hasSize(1);
            app.stop();
            assertThat(Files.exists(folder.resolve("data/app.db-wal"))).isFalse();
        }
    }

    /** Spring Boot's plugins leave out a jar that its manifest calls a starter: it has dependencies only. */
    @Test
    void starter_isNotPackaged() throws Exception {
        try (JarFile jar = new JarFile(System.getProperty("sample.jar"))) {
            assertThat(jar.stream().map(JarEntry::getName).filter(name -> name.contains("litestream-")))
                    .isNotEmpty()
                    .noneMatch(name -> name.contains("starter"));
        }
    }

    @Test
    void pastNotes_areReadFromTheReplica() throws Exception {
        try (SampleProcess app = SampleProcess.start(folder)) {
            app.add("kept");
            app.add("deleted later");
            await().atMost(REPLICATED_WITHIN).until(app::saysReplicated);
            Instant moment = Instant.now().truncatedTo(ChronoUnit.MILLIS).plusMillis(1);
            await().until(() -> Instant.now().isAfter(moment));
            app.delete("/api/notes/2");
            assertThat(app.notes().values()).containsExactly("kept");
            assertThat(app.get("/api/notes?asOf=" + moment).findValuesAsString("text"))
                    .containsExactly("deleted later", "kept");
        }
    }

    @Test
    void replicationSwitchedOff_theRestWorks() throws Exception {
        try (SampleProcess app = SampleProcess.start(folder, "--litestream.enabled=false")) {
            app.add("first");
            assertThat(app.notes()).isEqualTo(Map.of(1L, "first"));
            assertThat(app.get("/api/replication").path("state").asString()).isEqualTo("OFF");
            assertThat(app.get("/actuator/health").path("status").asString()).isEqualTo("UP");
            assertThat(folder.resolve("data-backup")).doesNotExist();
        }
    }
}
