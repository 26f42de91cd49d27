package org.litestream4j.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.test.LitestreamAssertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.litestream4j.Litestream;
import org.litestream4j.test.AutoConfigureLitestream;
import org.litestream4j.test.LostDisk;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.ConfigurableApplicationContext;

/** The backup of the notes, with the test kit; the example of docs/testing.md. */
@SpringBootTest
@AutoConfigureLitestream
class NotesBackupTest {

    @Test
    void lostDisk_isRestored(
            @Autowired ConfigurableApplicationContext context, @Autowired Notes notes, @Autowired Litestream litestream)
            throws Exception {
        notes.add("kept");
        assertThat(litestream.database("app.db").orElseThrow()).isRestorable().hasRow("note", Map.of("text", "kept"));

        try (ConfigurableApplicationContext restarted =
                LostDisk.simulate(context).restart()) {
            assertThat(restarted.getBean(Notes.class).newest(10))
                    .extracting(Note::text)
                    .containsExactly("kept");
        }
    }
}
