package org.litestream4j.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReplicasTest {

    @Test
    void open_knownScheme_givesItsClient(@TempDir Path folder) throws Exception {
        try (ReplicaClient client =
                Replicas.open(ReplicaLocation.of(folder.toUri().toString()))) {
            assertThat(client.url()).isEqualTo("file://" + folder);
        }
    }

    @Test
    void open_schemeInUpperCase_givesItsClient(@TempDir Path folder) throws Exception {
        try (ReplicaClient client = Replicas.open(ReplicaLocation.of("FILE://" + folder))) {
            assertThat(client.url()).isEqualTo("file://" + folder);
        }
    }

    /** As an environment variable or a Kubernetes secret ends. */
    @Test
    void open_urlThatEndsWithALineBreak_isRead() throws Exception {
        try (ReplicaClient client = Replicas.open(ReplicaLocation.of("file:///var/backups\r\n"))) {
            assertThat(client.url()).isEqualTo("file:///var/backups");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"file:///secret ", " file:///secret", "s3://b/se\ncret", "s3://b/secret\t"})
    void of_blanksAtTheEnds_areRefusedWithoutTheUrl(String url) {
        assertThatThrownBy(() -> ReplicaLocation.of(url))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("remove it")
                .hasMessageNotContaining("secret");
    }

    @Test
    void open_unknownScheme_namesItWhatIsKnownAndTheRemedy() {
        assertThatThrownBy(() -> Replicas.open(ReplicaLocation.of("gopher://user:secret@host/path")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"gopher:\"")
                .hasMessageContaining("file")
                .hasMessageContaining("dependency")
                .hasMessageNotContaining("secret");
    }
}
