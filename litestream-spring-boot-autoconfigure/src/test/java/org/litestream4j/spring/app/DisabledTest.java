package org.litestream4j.spring.app;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.litestream4j.Litestream;
import org.litestream4j.spring.app.NotesApplication.Notes;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;

/** The test of docs/testing.md that replicates nothing. */
@SpringBootTest(
        webEnvironment = WebEnvironment.NONE,
        properties = {
            "litestream.enabled=false",
            "litestream.replica.url=s3://production/app",
            "spring.datasource.url=jdbc:sqlite:file:disabled-test?mode=memory&cache=shared",
            "spring.liquibase.enabled=false",
            "spring.flyway.locations=classpath:db/notes"
        })
class DisabledTest {

    @Test
    void application_worksWithoutLitestream(@Autowired Notes notes, @Autowired ObjectProvider<Litestream> litestream) {
        notes.add("a note");
        assertThat(notes.count()).isEqualTo(1);
        assertThat(litestream.getIfAvailable()).isNull();
    }
}
