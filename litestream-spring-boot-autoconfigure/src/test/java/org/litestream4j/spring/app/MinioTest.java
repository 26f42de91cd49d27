package org.litestream4j.spring.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.spring.LitestreamOperations;
import org.litestream4j.spring.app.NotesApplication.Notes;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.testcontainers.service.connection.ServiceConnection;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.testcontainers.containers.MinIOContainer;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;
import org.testcontainers.utility.DockerImageName;

/** The test of docs/testing.md with an S3 store; skipped where no Docker is. */
@SpringBootTest(
        properties = {
            "litestream.replica.url=s3://backups/app",
            "spring.liquibase.enabled=false",
            "spring.flyway.locations=classpath:db/notes"
        })
@DirtiesContext
@Testcontainers(disabledWithoutDocker = true)
class MinioTest {

    @Container
    @ServiceConnection
    static final MinIOContainer MINIO =
            new MinIOContainer(DockerImageName.parse("quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z")
                    .asCompatibleSubstituteFor("minio/minio"));

    @TempDir
    static Path folder;

    @BeforeAll
    static void createBucket() throws Exception {
        MINIO.execInContainer("mkdir", "/data/backups");
    }

    @DynamicPropertySource
    static void settings(DynamicPropertyRegistry registry) {
        registry.add("spring.datasource.url", () -> "jdbc:sqlite:" + folder.resolve("app.db"));
    }

    @Test
    void whatWasWritten_isInTheBucket(
            @Autowired Notes notes, @Autowired LitestreamOperations operations, @Autowired Litestream litestream) {
        notes.add("kept");
        operations.awaitReplicated(Duration.ofSeconds(30));
        assertThat(litestream.database("app.db").orElseThrow().status().replica())
                .startsWith("s3://backups/app");
    }
}
