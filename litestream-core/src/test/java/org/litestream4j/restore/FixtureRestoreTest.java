package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.file.FileReplicaProvider;

/** Replicas that Litestream wrote, each with a manifest of what every state looks like. */
class FixtureRestoreTest {

    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

    @TempDir
    Path temp;

    static Stream<Path> replicas() throws IOException {
        List<Path> folders = new ArrayList<>();
        try (Stream<Path> children = Files.list(FIXTURES)) {
            children.filter(folder -> Files.isDirectory(folder.resolve("replica/ltx")))
                    .sorted()
                    .forEach(folders::add);
        }
        assertThat(folders).hasSizeGreaterThanOrEqualTo(8);
        return folders.stream();
    }

    private static JsonNode manifest(Path fixture) throws IOException {
        return new ObjectMapper().readTree(fixture.resolve("manifest.json").toFile());
    }

    @ParameterizedTest
    @MethodSource("replicas")
    void restore_latest_givesTheManifestsPages(Path fixture) throws Exception {
        RestoreResult result = restore(fixture.resolve("replica"), RestoreTarget.latest(), IntegrityCheck.FULL);
        assertState(result, manifest(fixture), manifest(fixture).get("latest"));
    }

    @ParameterizedTest
    @MethodSource("replicas")
    void restore_everyTxid_givesTheManifestsPages(Path fixture) throws Exception {
        JsonNode manifest = manifest(fixture);
        assertThat(manifest.get("atTxid")).isNotEmpty();
        for (JsonNode state : manifest.get("atTxid")) {
            Txid txid = Txid.parse(state.get("txid").asText());
            RestoreResult result = restore(fixture.resolve("replica"), RestoreTarget.txid(txid));
            assertThat(result.txid()).isEqualTo(txid);
            assertState(result, manifest, state);
        }
    }

    @ParameterizedTest
    @MethodSource("replicas")
    void restore_timeAfterEachLevel0File_givesItsState(Path fixture) throws Exception {
        JsonNode manifest = manifest(fixture);
        Path replica = copyWithTimes(fixture, manifest);
        int compared = 0;
        for (JsonNode file : manifest.get("files")) {
            if (!file.get("file").asText().startsWith("replica/ltx/0/")) {
                continue;
            }
            Instant timestamp = Instant.ofEpochMilli(file.get("timestampMillis").asLong());
            RestoreResult result = restore(replica, RestoreTarget.timestamp(timestamp.plusMillis(1)));
            assertThat(result.txid()).hasToString(file.get("maxTxid").asText());
            for (JsonNode state : manifest.get("atTxid")) {
                if (state.get("txid").asText().equals(file.get("maxTxid").asText())) {
                    assertState(result, manifest, state);
                    compared++;
                }
            }
        }
        assertThat(compared).isPositive();
    }

    private Path copyWithTimes(Path fixture, JsonNode manifest) throws IOException {
        for (JsonNode file : manifest.get("files")) {
            Path copy = temp.resolve(file.get("file").asText());
            Files.createDirectories(copy.getParent());
            Files.copy(fixture.resolve(file.get("file").asText()), copy);
            Files.setLastModifiedTime(
                    copy, FileTime.fromMillis(file.get("mtimeMillis").asLong()));
        }
        return temp.resolve("replica");
    }

    private RestoreResult restore(Path replica, RestoreTarget target) throws IOException {
        return restore(replica, target, IntegrityCheck.NONE);
    }

    private RestoreResult restore(Path replica, RestoreTarget target, IntegrityCheck check) throws IOException {
        Path file = temp.resolve("restored.db");
        Files.deleteIfExists(file);
        try (ReplicaClient client = FileReplicaProvider.at(replica)) {
            RestoreOptions options = RestoreOptions.builder()
                    .target(target)
                    .integrityCheck(check)
                    .build();
            return new RestoreJob(client, file, options, 2000).run(); // so small that most files are read in parts
        }
    }

    private static void assertState(RestoreResult result, JsonNode manifest, JsonNode state) throws Exception {
        assertThat(result.pages()).isEqualTo(state.get("pages").asLong());
        assertThat(result.pageSize()).isEqualTo(manifest.get("pageSize").asInt());
        assertThat(Files.size(result.target())).isEqualTo(result.pages() * result.pageSize());
        assertThat(sha256(result.target())).isEqualTo(state.get("imageSha256").asText());
    }

    static String sha256(Path file) throws IOException, NoSuchAlgorithmException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
            in.transferTo(java.io.OutputStream.nullOutputStream());
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
