package org.litestream4j.spring.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseState;
import org.litestream4j.Litestream;
import org.litestream4j.spring.LitestreamOperations;
import org.litestream4j.spring.app.NotesApplication.Notes;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** Several contexts in one JVM on one database file, as Spring's test framework caches them, and one after the other. */
class SeveralContextsTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private ConfigurableApplicationContext start() {
        return new SpringApplicationBuilder(NotesApplication.class)
                .web(WebApplicationType.NONE)
                .run(
                        "--spring.datasource.url=jdbc:sqlite:" + folder.resolve("data/app.db"),
                        "--litestream.replica.url=" + folder.resolve("replica").toUri(),
                        "--spring.liquibase.enabled=false",
                        "--spring.flyway.locations=classpath:db/notes");
    }

    private static DatabaseState state(ConfigurableApplicationContext context) {
        return context.getBean(Litestream.class)
                .databases()
                .iterator()
                .next()
                .status()
                .state();
    }

    private void assertRestored(long notes) throws Exception {
        try (Stream<Path> walk = Files.walk(folder.resolve("data"))) {
            List<Path> paths = walk.sorted(Comparator.reverseOrder()).toList();
            for (Path path : paths) {
                Files.delete(path);
            }
        }
        try (ConfigurableApplicationContext context = start()) {
            assertThat(context.getBean(Notes.class).count()).isEqualTo(notes);
        }
    }

    @Test
    void secondContext_takesOverWhenTheFirstCloses() throws Exception {
        ConfigurableApplicationContext first = start();
        first.getBean(Notes.class).add("first");
        try (ConfigurableApplicationContext second = start()) {
            assertThat(state(first)).isEqualTo(DatabaseState.REPLICATING);
            assertThat(state(second)).isEqualTo(DatabaseState.PASSIVE);
            second.getBean(Notes.class).add("second");
            first.close();
            second.getBean(Notes.class).add("third");
            await().atMost(TIMEOUT)
                    .untilAsserted(() -> assertThat(state(second)).isEqualTo(DatabaseState.REPLICATING));
            second.getBean(LitestreamOperations.class).awaitReplicated(TIMEOUT);
        }
        assertRestored(3);
    }

    @Test
    void secondContext_mayCloseFirst() throws Exception {
        try (ConfigurableApplicationContext first = start()) {
            first.getBean(Notes.class).add("first");
            try (ConfigurableApplicationContext second = start()) {
                second.getBean(Notes.class).add("second");
            }
            first.getBean(Notes.class).add("third");
            first.getBean(LitestreamOperations.class).awaitReplicated(TIMEOUT);
        }
        assertRestored(3);
    }

    @Test
    void oneAfterTheOther_eachContinues() throws Exception {
        for (int i = 1; i <= 3; i++) {
            try (ConfigurableApplicationContext context = start()) {
                context.getBean(Notes.class).add("note " + i);
                assertThat(context.getBean(Notes.class).count()).isEqualTo(i);
            }
        }
        assertRestored(3);
    }
}
