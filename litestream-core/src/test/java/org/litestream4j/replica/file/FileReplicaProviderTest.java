package org.litestream4j.replica.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreOptions;

class FileReplicaProviderTest {

    @ParameterizedTest
    @CsvSource({
        "file:///var/backups/app, /var/backups/app",
        "file:/var/backups/app, /var/backups/app",
        "file:///var/backups/app/, /var/backups/app",
        "file:///var/my%20backups/a+b%3F, /var/my%20backups/a+b%3F",
        "file:///var/my backups, /var/my%20backups",
        "file:///a%00b, /a%00b",
        "file:///, /",
    })
    void create_absoluteUrl_namesThatFolder(String url, String folder) throws IOException {
        try (ReplicaClient client = new FileReplicaProvider().create(ReplicaLocation.of(url))) {
            assertThat(client.url()).isEqualTo("file://" + folder);
        }
    }

    @ParameterizedTest
    @MethodSource("org.litestream4j.replica.UrlTable#files")
    void create_absoluteUrl_namesWhatLitestreamNames(String path, String folder) throws IOException {
        try (ReplicaClient client = new FileReplicaProvider().create(ReplicaLocation.of("file:///r" + path))) {
            assertThat(client.url()).isEqualTo("file:///r" + folder);
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
                "file:///a%zz"
            })
    void create_badUrl_saysSoWithoutSecrets(String url) {
        assertThatThrownBy(() -> new FileReplicaProvider().create(ReplicaLocation.of(url)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("file:")
                .hasMessageNotContaining("secret");
    }

    @Test
    void create_path_isTheNameAsItIs() throws IOException {
        ReplicaLocation location = new ReplicaLocation("file:", Map.of("path", "/var/my backups/a%20b?#"));
        try (ReplicaClient client = new FileReplicaProvider().create(location)) {
            assertThat(client.url()).isEqualTo("file:///var/my backups/a%20b?#");
        }
    }

    @Test
    void create_pathBesideTheUrlsFolder_isRefused() {
        ReplicaLocation location = new ReplicaLocation("file:///one", Map.of("path", "/two"));
        assertThatThrownBy(() -> new FileReplicaProvider().create(location))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("file: alone");
    }

    /** It decoded the URL. */
    @Test
    void restore_filesWhereAnEarlierVersionPutThem_areNamed(@TempDir Path folder) throws IOException {
        Path former = folder.resolve("my backups");
        Files.createDirectories(former.resolve("ltx/0"));
        try (ReplicaClient client =
                new FileReplicaProvider().create(ReplicaLocation.of("file://" + folder + "/my%20backups"))) {
            assertThatThrownBy(() -> Restore.restore(client, folder.resolve("app.db"), RestoreOptions.defaults()))
                    .isInstanceOf(RestoreException.class)
                    .hasMessageContaining(former.toString())
                    .hasMessageContaining("path=");
        }
    }

    @ParameterizedTest
    @CsvSource({"replica/0000, replica, layout of a bucket", "replica/ltx/0, replica/ltx, folder ltx inside"})
    void restore_otherLayout_saysWhatItIs(String present, String asked, String problem, @TempDir Path folder)
            throws IOException {
        Files.createDirectories(folder.resolve(present));
        try (ReplicaClient client = FileReplicaProvider.at(folder.resolve(asked))) {
            assertThatThrownBy(() -> Restore.restore(client, folder.resolve("app.db"), RestoreOptions.defaults()))
                    .isInstanceOf(RestoreException.class)
                    .hasMessageContaining(problem);
        }
    }

    @Test
    void create_settings_areRefusedByName() {
        ReplicaLocation location = new ReplicaLocation("file:///path", Map.of("region", "secret"));
        assertThatThrownBy(() -> new FileReplicaProvider().create(location))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("region")
                .hasMessageContaining("path")
                .hasMessageNotContaining("secret");
    }
}
