package org.litestream4j.internal.pages;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.file.FileReplicaProvider;

/** Replicas that Litestream wrote, of both frame kinds, each with a manifest of what every state looks like. */
class OfficialReplicaPagesTest {

    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

    static Stream<Path> replicas() throws IOException {
        try (Stream<Path> children = Files.list(FIXTURES)) {
            List<Path> folders = children.filter(folder -> Files.isDirectory(folder.resolve("replica/ltx")))
                    .sorted()
                    .toList();
            assertThat(folders).hasSizeGreaterThanOrEqualTo(8);
            return folders.stream();
        }
    }

    @ParameterizedTest
    @MethodSource("replicas")
    void everyState_hasTheManifestsPages(Path fixture) throws Exception {
        JsonNode manifest =
                new ObjectMapper().readTree(fixture.resolve("manifest.json").toFile());
        ReplicaClient client = FileReplicaProvider.at(fixture.resolve("replica"));
        try (ReplicaPages pages =
                ReplicaPages.open(client, PagesFixture.options().build())) {
            assertThat(manifest.get("atTxid")).isNotEmpty();
            for (JsonNode state : manifest.get("atTxid")) {
                PageSource source = pages.asOf(Txid.parse(state.get("txid").asText()));
                assertState(source, manifest, state);
            }
            assertState(pages.newest(), manifest, manifest.get("latest"));
        }
    }

    private static void assertState(PageSource source, JsonNode manifest, JsonNode state) throws Exception {
        assertThat(source.latest().pageSize())
                .isEqualTo(manifest.get("pageSize").asInt());
        assertThat(source.latest().pageCount()).isEqualTo(state.get("pages").asLong());
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(PagesFixture.all(source));
        assertThat(HexFormat.of().formatHex(digest))
                .isEqualTo(state.get("imageSha256").asText());
    }
}
