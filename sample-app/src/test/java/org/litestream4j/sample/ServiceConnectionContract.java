package org.litestream4j.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.restore.RestoreOptions;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** The application replicates to the container of the test, of which its settings know nothing but the bucket. */
@SpringBootTest(
        webEnvironment = WebEnvironment.NONE,
        properties = {
            "litestream.replica.url=s3://" + ServiceConnectionContract.BUCKET + "/notes",
            "litestream.replica.s3.endpoint=https://production.example.org"
        })
@DirtiesContext
abstract class ServiceConnectionContract {

    static final String BUCKET = "test-bucket";

    @TempDir
    static Path folder;

    @Autowired
    private Notes notes;

    @Autowired
    private Litestream litestream;

    @DynamicPropertySource
    static void database(DynamicPropertyRegistry registry) {
        registry.add("spring.datasource.url", () -> "jdbc:sqlite:" + folder.resolve("app.db"));
    }

    @Test
    void notes_areInTheContainer() throws Exception {
        notes.add("in a container");
        ManagedDatabase database = litestream.database("app.db").orElseThrow();
        database.sync(Duration.ofSeconds(30));
        assertThat(database.status().replica())
                .startsWith("s3://" + BUCKET + "/notes")
                .doesNotContain("production");
        Path copy = folder.resolve("copy.db");
        assertThat(database.restoreTo(copy, RestoreOptions.defaults()).txid())
                .isEqualTo(database.status().replicated());
        assertThat(copy).isNotEmptyFile();
    }
}
