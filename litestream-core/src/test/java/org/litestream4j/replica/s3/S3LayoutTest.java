package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.s3.S3TestClients.put;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.OtherBackup;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.Replicas;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.replica.RequestListener.RequestType;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreOptions;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Object;

/** Objects as Litestream wrote them to a store: we read them, and ours look the same. */
class S3LayoutTest {

    private static final Path FIXTURE = Path.of("src/test/resources/fixtures/s3-layout");

    /** What a store shows of an object. */
    private record Shown(long size, Map<String, String> metadata, String contentType) {}

    private static S3Server server;

    private static final Map<String, Shown> EXPECTED = new TreeMap<>();

    private static final Map<String, byte[]> CONTENT = new TreeMap<>();

    @BeforeAll
    static void start() throws Exception {
        server = new S3Server();
        for (JsonNode entry :
                new ObjectMapper().readTree(FIXTURE.resolve("listing.json").toFile())) {
            Map<String, String> metadata = new TreeMap<>();
            entry.get("metadata")
                    .properties()
                    .forEach(pair -> metadata.put(pair.getKey(), pair.getValue().asText()));
            String key = entry.get("key").asText();
            EXPECTED.put(
                    key,
                    new Shown(
                            entry.get("size").asLong(),
                            metadata,
                            entry.get("contentType").asText()));
            CONTENT.put(
                    key,
                    Files.readAllBytes(FIXTURE.resolve("objects")
                            .resolve(entry.get("object").asText())));
        }
        assertThat(EXPECTED).hasSizeGreaterThan(20);
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    private static ReplicaClient client(String path) {
        return S3TestClients.open(S3Server.location(server.port(), path, ""), RequestListener.NONE);
    }

    /** Puts Litestream's objects below a prefix. */
    private static void load(String prefix) {
        EXPECTED.forEach((key, shown) -> server.sdk()
                .putObject(
                        request -> request.bucket(S3Server.BUCKET)
                                .key(prefix + key)
                                .metadata(shown.metadata())
                                .contentType(shown.contentType()),
                        RequestBody.fromBytes(CONTENT.get(key))));
    }

    @Test
    void restore_objectsOfLitestream_givesTheManifestsPages(@TempDir Path folder) throws Exception {
        load("restore/");
        JsonNode latest = new ObjectMapper()
                .readTree(FIXTURE.resolve("manifest.json").toFile())
                .get("latest");
        Path database = folder.resolve("app.db");
        List<RequestType> requests = new CopyOnWriteArrayList<>();
        try (ReplicaClient client = S3TestClients.open(
                S3Server.location(server.port(), "restore/backup/app", ""), request -> requests.add(request.type()))) {
            Restore.restore(client, database, RestoreOptions.defaults());
        }
        byte[] sha256 = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(database));
        assertThat(HexFormat.of().formatHex(sha256))
                .isEqualTo(latest.get("imageSha256").asText());
        assertThat(requests)
                .as("requests of a restore of the newest state")
                .contains(RequestType.LIST, RequestType.GET)
                .doesNotContain(RequestType.HEAD);
    }

    @Test
    void otherBackup_onlyWhereOldLitestreamWrote() throws Exception {
        load("new/");
        server.sdk()
                .putObject(
                        request -> request.bucket(S3Server.BUCKET)
                                .key("old/app/generations/f67f47c47bf2f585/snapshots/00000000.snapshot.lz4"),
                        RequestBody.fromBytes(new byte[1]));
        try (ReplicaClient old = client("old/app");
                ReplicaClient now = client("new/backup/app")) {
            assertThat(old.otherBackup()).contains(OtherBackup.generations());
            assertThat(now.otherBackup()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'', s3://%s, generations/f67f47c47bf2f585/snapshots/00000000.snapshot.lz4, Litestream 0.3",
        "'', s3://%s/, generations/f67f47c47bf2f585/snapshots/00000000.snapshot.lz4, Litestream 0.3",
        "copied/app/, s3://%s/copied/app, ltx/0/0000000000000001-0000000000000001.ltx, copied into the bucket",
        "late/app/, s3://%s/late/app, ltx/9/0000000000000001-0000000000000004.ltx, copied into the bucket",
        "former/a b/, s3://%s/former/a+b, 0000/0000000000000001-0000000000000001.ltx, path to \"former/a b\"",
        "./, s3://%s/, 0009/0000000000000001-0000000000000001.ltx, path to \".\"",
        "in/app/, s3://%s/in/app/0009, 0009/0000000000000001-0000000000000001.ltx, leave 0009 out of the URL",
        "/, s3://%s, 0009/0000000000000001-0000000000000001.ltx, path to \"\"",
    })
    void restore_backupThatIsNoReplica_isNamed(String prefix, String url, String key, String problem) throws Exception {
        ListedStore listed = new ListedStore();
        listed.objects.put(prefix + key, Instant.parse("2026-11-24T02:41:33Z"));
        try (FaultProxy store = new FaultProxy(0)) {
            store.faults = listed;
            ReplicaLocation location = new ReplicaLocation(
                    url.formatted(S3Server.BUCKET),
                    Map.of(
                            "endpoint", "127.0.0.1:" + store.port(),
                            "access-key-id", S3Server.ACCESS_KEY,
                            "secret-access-key", S3Server.SECRET_KEY));
            try (ReplicaClient client = Replicas.open(location)) {
                assertThatThrownBy(() -> Restore.plan(client, RestoreOptions.defaults()))
                        .isInstanceOfSatisfying(RestoreException.class, e -> assertThat(e.reason())
                                .isEqualTo(RestoreException.Reason.OTHER_FORMAT))
                        .hasMessageContaining(problem);
            }
        }
    }

    @Test
    void list_objectsOfLitestream_areAllSeenWithTimeAndContent() throws Exception {
        load("read/");
        List<String> seen = new ArrayList<>();
        try (ReplicaClient client = client("read/backup/app")) {
            for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
                List<LtxFileInfo> files = new ArrayList<>();
                client.list(level, Txid.NONE, files::add);
                for (LtxFileInfo file : files) {
                    String key = new S3Keys("backup/app").key(level, file.name());
                    Shown shown = EXPECTED.get(key);
                    assertThat(file.size()).as(key).isEqualTo(shown.size());
                    assertThat(client.timestamp(file))
                            .as(key)
                            .isEqualTo(Instant.parse(shown.metadata().get("litestream-timestamp")));
                    try (InputStream in = client.open(level, file.name(), 0, ReplicaClient.TO_END)) {
                        assertThat(in.readAllBytes()).as(key).isEqualTo(CONTENT.get(key));
                    }
                    seen.add(key);
                }
            }
        }
        assertThat(seen).containsExactlyElementsOf(EXPECTED.keySet());
    }

    /** Copied by a tool that leaves the metadata behind. */
    @Test
    void timestamp_ofObjectsWithoutMetadata_isThatOfTheirHeader() throws Exception {
        EXPECTED.forEach((key, shown) -> server.sdk()
                .putObject(
                        request -> request.bucket(S3Server.BUCKET).key("copied/" + key),
                        RequestBody.fromBytes(CONTENT.get(key))));
        int files = 0;
        try (ReplicaClient client = client("copied/backup/app")) {
            for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
                for (LtxFileName name : S3TestClients.list(client, level)) {
                    LtxFileInfo listed = new LtxFileInfo(level, name, 0, Instant.now(), false);
                    try (InputStream in = client.open(level, name, 0, LtxHeader.SIZE)) {
                        long millis = LtxHeader.parse(in.readAllBytes(), "test").timestampMillis();
                        assertThat(client.timestamp(listed)).isEqualTo(Instant.ofEpochMilli(millis));
                    }
                    files++;
                }
            }
        }
        assertThat(files).isEqualTo(EXPECTED.size());
    }

    @Test
    void publish_theSameFiles_listAsLitestreams() throws Exception {
        try (ReplicaClient client = client("written/backup/app")) {
            for (Map.Entry<String, Shown> entry : EXPECTED.entrySet()) {
                String[] parts = entry.getKey().split("/", -1);
                LtxFileName name = LtxFileName.parse(parts[3]).orElseThrow();
                Instant time = Instant.parse(entry.getValue().metadata().get("litestream-timestamp"));
                try (ReplicaUpload upload = client.write(Integer.parseInt(parts[2], 16), name, time)) {
                    upload.write(CONTENT.get(entry.getKey()));
                    upload.publish();
                }
            }
        }
        assertThat(shown("written/")).isEqualTo(EXPECTED);
    }

    @Test
    void publish_largeFile_listsAsASmallOne() throws Exception {
        try (ReplicaClient client = client("large")) {
            put(client, 9, new LtxFileName(new Txid(1), new Txid(0x2a)), S3TestClients.bytes(6 << 20, 1));
        }
        assertThat(shown("large/"))
                .containsExactly(Map.entry(
                        "0009/0000000000000001-000000000000002a.ltx",
                        new Shown(
                                6 << 20,
                                Map.of("litestream-timestamp", "2026-11-24T02:41:33.91Z"),
                                "application/octet-stream")));
    }

    @Test
    void timestamp_withoutMetadata_isTheStoresOwn() throws Exception {
        LtxFileName name = LtxFileName.of(new Txid(1));
        server.sdk()
                .putObject(
                        request -> request.bucket(S3Server.BUCKET).key("bare/0000/" + name),
                        RequestBody.fromString("x"));
        try (ReplicaClient client = client("bare")) {
            List<LtxFileInfo> files = new ArrayList<>();
            client.list(0, Txid.NONE, files::add);
            assertThat(client.timestamp(files.get(0)))
                    .isEqualTo(server.sdk()
                            .headObject(
                                    request -> request.bucket(S3Server.BUCKET).key("bare/0000/" + name))
                            .lastModified());
        }
    }

    private static Map<String, Shown> shown(String prefix) throws IOException {
        Map<String, Shown> shown = new TreeMap<>();
        for (S3Object object : server.sdk()
                .listObjectsV2Paginator(
                        request -> request.bucket(S3Server.BUCKET).prefix(prefix))
                .contents()) {
            HeadObjectResponse head = server.sdk()
                    .headObject(request -> request.bucket(S3Server.BUCKET).key(object.key()));
            shown.put(
                    object.key().substring(prefix.length()),
                    new Shown(object.size(), new TreeMap<>(head.metadata()), head.contentType()));
        }
        return shown;
    }
}
