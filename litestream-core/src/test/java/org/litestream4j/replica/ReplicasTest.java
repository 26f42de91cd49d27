package org.litestream4j.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
