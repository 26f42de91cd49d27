package org.litestream4j.replica.nats;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.nats.client.ObjectStore;
import io.nats.client.api.ObjectInfo;
import io.nats.client.api.ObjectMeta;
import io.nats.client.impl.Headers;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;

/** What Litestream wrote to a bucket is listed, read and restored; what we write looks the same. */
class NatsLayoutTest {

    private static final Path FIXTURE = Path.of("src/test/resources/fixtures/nats-layout");

    @TempDir
    static Path folder;

    private static NatsServer server;

    private static JsonNode listing;

    @BeforeAll
    static void fillBucket() throws Exception {
        server = NatsServer.start(folder);
        server.createBucket("reference");
        server.createBucket("ours");
        listing = new ObjectMapper().readTree(FIXTURE.resolve("listing.json").toFile());
        server.with(connection -> {
            ObjectStore store = connection.objectStore("reference");
            for (JsonNode object : listing) {
                Headers headers = new Headers().put("Litestream-Timestamp", timestamp(object));
                ObjectMeta meta = ObjectMeta.builder(object.get("name").asText())
                        .headers(headers)
                        .build();
                ObjectInfo stored = store.put(
                        meta, inPieces(content(object), object.get("chunks").asInt()));
                assertThat(stored.getChunks()).isEqualTo(object.get("chunks").asInt());
            }
            return true;
        });
    }

    @AfterAll
    static void stopServer() {
        if (server != null) {
            server.close();
        }
    }

    @Test
    void list_ofTheReference_tellsAllThatItListed() throws Exception {
        int listed = 0;
        try (ReplicaClient client = client("reference")) {
            for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
                for (LtxFileInfo file : files(client, level)) {
                    JsonNode object = object("ltx/" + level + "/" + file.name());
                    assertThat(file.size()).isEqualTo(object.get("size").asLong());
                    assertThat(file.exact()).isTrue();
                    assertThat(file.timestamp()).isEqualTo(Instant.parse(timestamp(object)));
                    byte[] content = content(object);
                    assertThat(read(client, level, file.name(), 0, ReplicaClient.TO_END))
                            .isEqualTo(content);
                    int half = content.length / 2;
                    assertThat(read(client, level, file.name(), half, 100))
                            .isEqualTo(
                                    java.util.Arrays.copyOfRange(content, half, Math.min(content.length, half + 100)));
                    listed++;
                }
            }
        }
        assertThat(listed).isEqualTo(listing.size());
    }

    @Test
    void restore_ofTheReference_givesTheManifestsPages() throws Exception {
        JsonNode latest = new ObjectMapper()
                .readTree(FIXTURE.resolve("manifest.json").toFile())
                .get("latest");
        Path database = folder.resolve("restored.db");
        try (ReplicaClient client = client("reference")) {
            Restore.restore(client, database, RestoreOptions.defaults());
        }
        byte[] image = Files.readAllBytes(database);
        assertThat(image.length / 4096).isEqualTo(latest.get("pages").asInt());
        assertThat(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(image)))
                .isEqualTo(latest.get("imageSha256").asText());
    }

    @Test
    void publish_sameFiles_listAlike() throws Exception {
        try (ReplicaClient client = client("ours")) {
            for (JsonNode object : listing) {
                String[] name = object.get("name").asText().split("/", -1);
                LtxFileName file = LtxFileName.parse(name[2]).orElseThrow();
                try (ReplicaUpload upload =
                        client.write(Integer.parseInt(name[1]), file, Instant.parse(timestamp(object)))) {
                    upload.write(content(object));
                    upload.publish();
                }
            }
        }
        List<ObjectInfo> ours =
                server.with(connection -> connection.objectStore("ours").getList());
        List<ObjectInfo> reference =
                server.with(connection -> connection.objectStore("reference").getList());
        assertThat(ours)
                .extracting(NatsLayoutTest::shown)
                .containsExactlyElementsOf(
                        reference.stream().map(NatsLayoutTest::shown).toList());
        for (ObjectInfo info : ours) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            server.with(connection -> connection.objectStore("ours").get(info.getObjectName(), out));
            assertThat(out.toByteArray()).isEqualTo(content(object(info.getObjectName())));
        }
    }

    @Test
    void timestamp_objectWithoutHeader_isReadFromTheFile() throws Exception {
        server.createBucket("copied");
        JsonNode object = listing.get(3);
        server.with(connection ->
                connection.objectStore("copied").put(object.get("name").asText(), content(object)));
        try (ReplicaClient client = client("copied")) {
            LtxFileInfo file = files(client, 0).get(0);
            assertThat(file.exact()).isFalse();
            assertThat(client.timestamp(file)).isEqualTo(Instant.parse(timestamp(object)));
        }
    }

    /** Litestream ignores the setting; an earlier version kept the dots of a URL. */
    @Test
    void otherBackup_atThePathThatTheSettingsMayMean_isNamed() throws Exception {
        server.createBucket("moved");
        server.with(connection -> {
            connection.objectStore("moved").put("ltx/0/" + name(1), new byte[] {1});
            connection.objectStore("moved").put("a/../b/ltx/0/" + name(1), new byte[] {1});
            return true;
        });
        String url = "nats://" + server.address() + "/moved";
        try (ReplicaClient bySetting = Replicas.open(new ReplicaLocation(url, Map.of("path", "app")));
                ReplicaClient byUrl = client("moved/app");
                ReplicaClient former = client("moved/a/../b")) {
            assertThat(bySetting.otherBackup().orElseThrow().problem()).contains("top of the bucket");
            assertThat(byUrl.otherBackup()).isEmpty();
            assertThat(former.otherBackup().orElseThrow().remedy()).contains("a/../b");
        }
    }

    @Test
    void list_foreignObjects_areIgnored() throws Exception {
        server.createBucket("mixed");
        server.with(connection -> {
            ObjectStore store = connection.objectStore("mixed");
            for (String name : List.of("readme", "ltx/0/readme.tmp", "other/ltx/0/" + name(1), "ltx/0/x/" + name(1))) {
                store.put(name, new byte[] {1});
            }
            return true;
        });
        try (ReplicaClient client = client("mixed");
                ReplicaClient below = client("mixed/other")) {
            assertThat(files(client, 0)).isEmpty();
            assertThat(files(below, 0)).hasSize(1);
        }
    }

    private static LtxFileName name(long txid) {
        return LtxFileName.of(new Txid(txid));
    }

    /** All that a listing shows of an object, except when it was written, its unique id and the number of chunks. */
    private static List<Object> shown(ObjectInfo info) {
        return List.of(
                info.getObjectName(),
                info.getSize(),
                info.getHeaders().keySet(),
                info.getHeaders().get("Litestream-Timestamp"),
                info.getObjectMeta().getObjectMetaOptions().getChunkSize(),
                info.getDigest(),
                Optional.ofNullable(info.getDescription()),
                info.getMetaData(),
                info.isDeleted(),
                info.isLink());
    }

    private static ReplicaClient client(String bucketAndPath) {
        return Replicas.open(ReplicaLocation.of("nats://" + server.address() + "/" + bucketAndPath));
    }

    private static List<LtxFileInfo> files(ReplicaClient client, int level) throws Exception {
        List<LtxFileInfo> files = new ArrayList<>();
        client.list(level, Txid.NONE, files::add);
        return files;
    }

    private static byte[] read(ReplicaClient client, int level, LtxFileName name, long offset, long length)
            throws Exception {
        try (InputStream in = client.open(level, name, offset, length)) {
            return in.readAllBytes();
        }
    }

    private static JsonNode object(String name) {
        for (JsonNode object : listing) {
            if (object.get("name").asText().equals(name)) {
                return object;
            }
        }
        throw new AssertionError("not in the listing: " + name);
    }

    private static byte[] content(JsonNode object) throws Exception {
        return Files.readAllBytes(
                FIXTURE.resolve("objects").resolve(object.get("object").asText()));
    }

    private static String timestamp(JsonNode object) {
        return object.get("headers").get("Litestream-Timestamp").get(0).asText();
    }

    /** Ends each read early, whereby the library makes that many chunks. */
    private static InputStream inPieces(byte[] content, int pieces) {
        return new ByteArrayInputStream(content) {
            private int number;

            @Override
            public synchronized int read(byte[] target, int offset, int length) {
                int wanted = (int) ((long) content.length * (number + 1) / pieces) - (content.length - available());
                number++;
                return super.read(target, offset, Math.min(length, wanted));
            }
        };
    }
}
