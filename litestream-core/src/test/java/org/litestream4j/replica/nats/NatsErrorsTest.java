package org.litestream4j.replica.nats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nats.client.api.ObjectStoreConfiguration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.Replicas;

/** What somebody reads who has set something up wrong. */
class NatsErrorsTest {

    private static final LtxFileName NAME = LtxFileName.of(new Txid(1));

    /** So that a wait that ends by itself is noticed. */
    private static final Map<String, String> LONG = Map.of("timeout", "60s");

    @TempDir
    Path folder;

    private NatsServer server;

    @AfterEach
    void stopServer() {
        if (server != null) {
            server.close();
        }
    }

    @Test
    void prepare_noServer_saysSoAndMayPass() throws Exception {
        int port = NatsServer.freePort();
        try (ReplicaClient client = client("127.0.0.1:" + port, Map.of())) {
            assertThatThrownBy(client::prepare)
                    .isInstanceOf(ReplicaException.class)
                    .isNotInstanceOf(ReplicaAccessException.class) // it may come back
                    .hasMessageContaining("127.0.0.1:" + port)
                    .hasMessageContaining("no connection to any server");
        }
    }

    @Test
    void prepare_noJetStream_saysSo() throws Exception {
        server = NatsServer.start(folder, NatsServer.freePort(), false, "");
        try (ReplicaClient client = client(Map.of("create-bucket", "true"))) {
            assertRefused(client, "JetStream is not enabled");
            assertThatThrownBy(() -> client.list(0, Txid.NONE, file -> true))
                    .isInstanceOf(ReplicaAccessException.class);
        }
    }

    @Test
    void prepare_noBucket_namesTheSettingThatCreatesIt() throws Exception {
        server = NatsServer.start(folder);
        try (ReplicaClient client = client(Map.of())) {
            assertRefused(client, "no object store bucket backups");
            assertRefused(client, "create-bucket=true");
            assertThatThrownBy(() -> client.list(0, Txid.NONE, file -> true))
                    .isInstanceOf(ReplicaAccessException.class)
                    .hasMessageContaining("create-bucket=true");
            assertThatThrownBy(() -> client.open(0, NAME, 0, 1)).isInstanceOf(ReplicaAccessException.class);
            assertThatThrownBy(() -> put(client, NAME, 1000)).isInstanceOf(IOException.class);
        }
    }

    @Test
    void list_bucketToBeCreated_isEmpty() throws Exception {
        server = NatsServer.start(folder);
        try (ReplicaClient client = client(Map.of("create-bucket", "true"))) {
            client.list(0, Txid.NONE, file -> {
                throw new AssertionError(file);
            });
        }
    }

    @Test
    void prepare_createBucket_usesTheSettings() throws Exception {
        server = NatsServer.start(folder);
        try (ReplicaClient client =
                client(Map.of("create-bucket", "true", "storage", "memory", "max-bytes", "64MiB"))) {
            client.prepare();
        }
        ObjectStoreConfiguration made = server.with(connection ->
                connection.objectStoreManagement().getStatus("backups").getConfiguration());
        assertThat(made.getStorageType()).isEqualTo(io.nats.client.api.StorageType.Memory);
        assertThat(made.getMaxBucketSize()).isEqualTo(64L << 20);
    }

    @Test
    void prepare_bucketThatForgets_isRefused() throws Exception {
        server = NatsServer.start(folder);
        server.with(connection -> connection
                .objectStoreManagement()
                .create(ObjectStoreConfiguration.builder("backups")
                        .ttl(Duration.ofDays(30))
                        .build()));
        try (ReplicaClient client = client(Map.of())) {
            assertRefused(client, "time to live");
        }
    }

    @Test
    void write_bucketFull_saysSoAndPublishesNothing() throws Exception {
        server = NatsServer.start(folder);
        try (ReplicaClient client = client(Map.of("create-bucket", "true", "max-bytes", "1MiB"))) {
            client.prepare();
            put(client, NAME, 300_000);
            assertThatThrownBy(() -> put(client, LtxFileName.of(new Txid(2)), 2_000_000))
                    .isInstanceOf(ReplicaAccessException.class)
                    .hasMessageContaining("the bucket is full");
            int[] listed = {0};
            client.list(0, Txid.NONE, file -> ++listed[0] > 0);
            assertThat(listed[0]).isEqualTo(1);
            put(client, LtxFileName.of(new Txid(3)), 300_000); // the failed upload left no chunks
        }
    }

    @Test
    void prepare_serverTakesOnlySmallMessages_namesTheLimit() throws Exception {
        server = NatsServer.start(folder, "max_payload: 65536");
        try (ReplicaClient client = client(Map.of("create-bucket", "true"))) {
            assertRefused(client, "max_payload");
            assertRefused(client, "65536");
        }
    }

    @Test
    void requests_withoutRights_nameTheMissingOneQuickly() throws Exception {
        server = NatsServer.start(
                folder,
                """
                authorization { users: [
                  { user: all, password: pw }
                  { user: reader, password: pw, permissions: { publish: { allow: [
                      "$JS.API.STREAM.INFO.OBJ_backups", "$JS.API.STREAM.MSG.GET.OBJ_backups",
                      "$JS.API.CONSUMER.CREATE.OBJ_backups", "$JS.API.DIRECT.GET.OBJ_backups", "$JS.FC.>" ] } } }
                  { user: nobody, password: pw, permissions: { publish: { deny: [">"] } } }
                  { user: deaf, password: pw, permissions: { subscribe: { deny: [">"] } } }
                ] }
                """);
        try (ReplicaClient client = client(user("all", Map.of("create-bucket", "true")))) {
            client.prepare();
            put(client, NAME, 1000);
        }
        long start = System.nanoTime();
        try (ReplicaClient client = client(user("reader", LONG))) {
            client.prepare();
            int[] listed = {0};
            client.list(0, Txid.NONE, file -> ++listed[0] > 0);
            assertThat(listed[0]).isEqualTo(1);
            assertThat(client.open(0, NAME, 0, ReplicaClient.TO_END).readAllBytes())
                    .hasSize(1000);
            assertThatThrownBy(() -> put(client, LtxFileName.of(new Txid(2)), 1000))
                    .isInstanceOf(ReplicaAccessException.class)
                    .hasMessageContaining("no right")
                    .hasMessageContaining("$O.backups.C.");
            assertThatThrownBy(() -> client.delete(0, java.util.List.of(NAME)))
                    .hasMessageContaining("$JS.API.STREAM.PURGE.OBJ_backups")
                    .message()
                    .containsOnlyOnce(client.url())
                    .containsOnlyOnce("give the user the rights");
        }
        for (String user : new String[] {"nobody", "deaf"}) {
            try (ReplicaClient client = client(user(user, LONG))) {
                assertRefused(client, "no right");
            }
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(50));
    }

    @Test
    void allOperations_withTheDocumentedRights_succeed() throws Exception {
        server = NatsServer.start(
                folder,
                """
                authorization { users: [ { user: writer, password: pw, permissions: {
                  subscribe: { allow: ["_INBOX.>"] }
                  publish: { allow: [
                    "$O.backups.>", "$JS.API.STREAM.INFO.OBJ_backups", "$JS.API.STREAM.MSG.GET.OBJ_backups",
                    "$JS.API.STREAM.PURGE.OBJ_backups", "$JS.API.DIRECT.GET.OBJ_backups",
                    "$JS.API.CONSUMER.CREATE.OBJ_backups", "$JS.FC.>", "$JS.API.STREAM.CREATE.OBJ_backups" ] }
                } } ] }
                """);
        try (ReplicaClient client = client(user("writer", Map.of("create-bucket", "true")))) {
            client.prepare();
            put(client, NAME, 3_000_000);
            put(client, LtxFileName.of(new Txid(2)), 10);
            int[] listed = {0};
            client.list(0, Txid.NONE, file -> ++listed[0] > 0);
            assertThat(listed[0]).isEqualTo(2);
            assertThat(client.open(0, NAME, 2_000_000, 100).readAllBytes()).hasSize(100);
            client.delete(0, java.util.List.of(NAME));
            try (ReplicaUpload upload = client.write(0, NAME, Instant.EPOCH)) {
                upload.write(new byte[200_000]);
            }
        }
    }

    @Test
    void prepare_wrongPassword_doesNotShowIt() throws Exception {
        server = NatsServer.start(folder, "authorization { user: bob, password: right }");
        try (ReplicaClient client = client(Map.of("username", "bob", "password", "s3cret"))) {
            assertRefused(client, "rejects the login");
            assertThatThrownBy(client::prepare).satisfies(NatsErrorsTest::showsNoSecret);
        }
        try (ReplicaClient client = client(Map.of())) {
            assertRefused(client, "rejects the login");
        }
    }

    @Test
    void prepare_badCredentials_nameTheSetting() throws Exception {
        server = NatsServer.start(folder);
        Path file = folder.resolve("user.creds");
        try (ReplicaClient client = client(Map.of("creds", file.toString()))) {
            assertRefused(client, "no credentials file " + file);
        }
        Files.writeString(file, "s3cret");
        try (ReplicaClient client = client(Map.of("creds", file.toString()))) {
            assertRefused(client, file + " is not a credentials file");
            assertThatThrownBy(client::prepare).satisfies(NatsErrorsTest::showsNoSecret);
        }
        try (ReplicaClient client = client(Map.of("nkey", "s3cret"))) {
            assertRefused(client, "the setting nkey");
            assertThatThrownBy(client::prepare).satisfies(NatsErrorsTest::showsNoSecret);
        }
        try (ReplicaClient client = client(Map.of("jwt", "s3cret", "seed", "s3cret"))) {
            assertRefused(client, "the setting seed");
            assertThatThrownBy(client::prepare).satisfies(NatsErrorsTest::showsNoSecret);
        }
    }

    @Test
    void isPermissionsViolation_textsOfTheServer_areTold() {
        assertThat(NatsLink.isPermissionsViolation("Permissions Violation for Publish to \"a\""))
                .isTrue();
        assertThat(NatsLink.isPermissionsViolation("Authorization Violation")).isFalse();
    }

    @Test
    void isLoginFailure_textsOfTheServer_areTold() {
        assertThat(NatsLink.isLoginFailure("Authorization Violation")).isTrue();
        assertThat(NatsLink.isLoginFailure("User Authentication Expired")).isTrue();
        assertThat(NatsLink.isLoginFailure("Authentication Timeout")).isTrue();
        assertThat(NatsLink.isLoginFailure("maximum connections exceeded")).isFalse();
        assertThat(NatsLink.isLoginFailure(null)).isFalse();
    }

    private static void showsNoSecret(Throwable failure) {
        for (Throwable at = failure; at != null; at = at.getCause()) {
            assertThat(at.toString()).doesNotContain("s3cret");
        }
    }

    private static void assertRefused(ReplicaClient client, String text) {
        assertThatThrownBy(client::prepare)
                .isInstanceOf(ReplicaAccessException.class)
                .hasMessageContaining(text)
                .hasMessageStartingWith(client.url());
    }

    private static Map<String, String> user(String user, Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(more);
        settings.put("username", user);
        settings.put("password", "pw");
        return settings;
    }

    private ReplicaClient client(Map<String, String> settings) {
        return client(server.address(), settings);
    }

    private static ReplicaClient client(String address, Map<String, String> settings) {
        return Replicas.open(new ReplicaLocation("nats://" + address + "/backups", settings));
    }

    private static void put(ReplicaClient client, LtxFileName name, int size) throws IOException {
        byte[] content = new byte[size];
        new Random(size).nextBytes(content);
        try (ReplicaUpload upload = client.write(0, name, Instant.EPOCH)) {
            upload.write(content);
            upload.publish();
        }
    }
}
