package org.litestream4j.replica.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;

class FileReplicaProviderTest {

    @ParameterizedTest
    @CsvSource({
        "file:///var/backups/app, /var/backups/app",
        "file:/var/backups/app, /var/backups/app",
        "file:///var/backups/app/, /var/backups/app",
        "file:///var/my%20backups/a+b%3F, /var/my backups/a+b?",
        "file:///var/my backups, /var/my backups",
        "file:///, /",
    })
    void create_absoluteUrl_namesThatFolder(String url, String folder) throws IOException {
        try (ReplicaClient client = new FileReplicaProvider().create(ReplicaLocation.of(url))) {
            assertThat(client.url()).isEqualTo("file://" + folder);
        }
    }

    @Test
    void create_relativeUrl_isBelowTheWorkingDirectory() throws IOException {
        try (ReplicaClient client = new FileReplicaProvider().create(ReplicaLocation.of("file:./backups/app"))) {
            assertThat(client.url())
                    .isEqualTo("file://" + Path.of("backups/app").toAbsolutePath());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "file:",
                "file://",
                "file://user:secret@host/path",
                "file:///path?key=secret",
                "file:///path#secret",
                "file:///a%00b",
                "file:///a%zz"
            })
    void create_badUrl_saysSoWithoutSecrets(String url) {
        assertThatThrownBy(() -> new FileReplicaProvider().create(ReplicaLocation.of(url)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("file:")
                .hasMessageNotContaining("secret");
    }

    @Test
    void create_settings_areRefusedByName() {
        ReplicaLocation location = new ReplicaLocation("file:///path", Map.of("region", "secret"));
        assertThatThrownBy(() -> new FileReplicaProvider().create(location))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("region")
                .hasMessageNotContaining("secret");
    }
}
