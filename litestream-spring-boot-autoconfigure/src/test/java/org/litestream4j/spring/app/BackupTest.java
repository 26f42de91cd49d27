package org.litestream4j.spring.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.spring.LitestreamOperations;
import org.litestream4j.spring.app.NotesApplication.Notes;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** The tests of docs/testing.md. */
@SpringBootTest(
        webEnvironment = WebEnvironment.NONE,
        properties = {"spring.liquibase.enabled=false", "spring.flyway.locations=classpath:db/notes"})
@DirtiesContext
class BackupTest {

    @TempDir
    static Path folder;

    @DynamicPropertySource
    static void settings(DynamicPropertyRegistry registry) {
        registry.add("spring.datasource.url", () -> "jdbc:sqlite:" + folder.resolve("app.db"));
        registry.add("litestream.replica.url", () -> folder.resolve("replica").toUri());
    }

    @Test
    void whatWasWritten_isInTheBackup(
            @Autowired Notes notes, @Autowired LitestreamOperations operations, @Autowired Litestream litestream)
            throws Exception {
        notes.add("kept");
        operations.awaitReplicated(Duration.ofSeconds(10));

        Path copy = folder.resolve("copy.db");
        litestream.database("app.db").orElseThrow().restoreTo(copy, RestoreOptions.defaults());

        JdbcClient restored = JdbcClient.create(new DriverManagerDataSource("jdbc:sqlite:" + copy));
        assertThat(restored.sql("select text from note").query(String.class).list())
                .containsExactly("kept");
    }

    @Test
    void lostDisk_isRestoredAtTheStart(@TempDir Path disk, @TempDir Path backups) throws Exception {
        try (ConfigurableApplicationContext application = start(disk, backups)) {
            application.getBean(Notes.class).add("kept");
        }
        Files.delete(disk.resolve("app.db"));
        try (ConfigurableApplicationContext application = start(disk, backups)) {
            assertThat(application.getBean(Notes.class).count()).isEqualTo(1);
        }
    }

    private static ConfigurableApplicationContext start(Path disk, Path backups) {
        return new SpringApplicationBuilder(NotesApplication.class)
                .web(WebApplicationType.NONE)
                .run(
                        "--spring.datasource.url=jdbc:sqlite:" + disk.resolve("app.db"),
                        "--litestream.replica.url=" + backups.toUri(),
                        "--spring.liquibase.enabled=false",
                        "--spring.flyway.locations=classpath:db/notes");
    }
}
