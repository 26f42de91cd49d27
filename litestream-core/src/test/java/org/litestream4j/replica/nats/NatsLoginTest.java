package org.litestream4j.replica.nats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nats.client.NKey;
import io.nats.client.support.JwtUtils;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
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

/** All ways to log in, and TLS. */
class NatsLoginTest {

    private static final char[] PASSWORD = "changeit".toCharArray();

    private static final String TLS =
            """
            tls {
              cert_file: "$FOLDER/server.pem"
              key_file: "$FOLDER/server.key"
              %s
            }
            """;

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
    void prepare_userAndPassword_succeeds() throws Exception {
        server = NatsServer.start(folder, "authorization { user: bob, password: \"p@ss:/word\" }");
        assertWorks("nats://bob:p%40ss%3A%2Fword@" + server.address() + "/b", Map.of());
        assertWorks(Map.of("username", "bob", "password", "p@ss:/word"));
    }

    @Test
    void prepare_token_succeeds() throws Exception {
        server = NatsServer.start(folder, "authorization { token: s3cret }");
        assertWorks("nats://s3cret@" + server.address() + "/b", Map.of());
        assertWorks(Map.of("token", "s3cret"));
        assertRefused(Map.of("token", "other"), "rejects the login");
    }

    @Test
    void prepare_nkey_succeeds() throws Exception {
        NKey user = NKey.createUser(null);
        server = NatsServer.start(folder, "authorization { users: [ { nkey: " + string(user.getPublicKey()) + " } ] }");
        assertWorks(Map.of("nkey", string(user.getSeed())));
        assertRefused(Map.of("nkey", string(NKey.createUser(null).getSeed())), "rejects the login");
    }

    @Test
    void prepare_jwtAndCredentialsFile_succeed() throws Exception {
        NKey operator = NKey.createOperator(null);
        NKey account = NKey.createAccount(null);
        NKey system = NKey.createAccount(null);
        NKey user = NKey.createUser(null);
        server = NatsServer.start(
                folder,
                "trusted_keys: [ " + string(operator.getPublicKey()) + " ]\n"
                        + "system_account: " + string(system.getPublicKey()) + "\n"
                        + "resolver: MEMORY\n"
                        + "resolver_preload: {\n"
                        + string(account.getPublicKey()) + ": " + accountJwt(operator, account, true) + "\n"
                        + string(system.getPublicKey()) + ": " + accountJwt(operator, system, false) + "\n}");
        String seed = string(user.getSeed());
        String jwt = JwtUtils.issueUserJWT(account, string(account.getPublicKey()), string(user.getPublicKey()));
        assertWorks(Map.of("jwt", jwt, "seed", seed));
        Path creds = folder.resolve("user.creds");
        Files.writeString(creds, String.format(JwtUtils.NATS_USER_JWT_FORMAT, jwt, seed));
        assertWorks(Map.of("creds", creds.toString()));
        assertRefused(Map.of("jwt", jwt, "seed", string(NKey.createUser(null).getSeed())), "rejects the login");
    }

    @Test
    void prepare_tls_checksAuthorityAndHost() throws Exception {
        certificate("server", "-ext", "SAN=dns:localhost");
        certificate("client");
        server = NatsServer.start(folder, TLS.formatted("verify: true\n  ca_file: \"$FOLDER/client.pem\""));
        String url = "nats://localhost:" + server.port() + "/b";
        Map<String, String> ours = Map.of(
                "root-cas", folder.resolve("server.pem").toString(),
                "client-cert", folder.resolve("client.pem").toString(),
                "client-key", folder.resolve("client.key").toString());
        assertWorks(url, ours);
        assertWorks("nats:///b", with(ours, "urls", "tls://localhost:" + server.port()));

        assertCertificateRefused("nats://127.0.0.1:" + server.port() + "/b", ours); // the certificate names localhost
        assertCertificateRefused(url, Map.of("tls", "true")); // the JVM does not know who signed it
        assertCertificateRefused(
                url, with(ours, "root-cas", folder.resolve("client.pem").toString()));

        for (Map<String, String> missing : java.util.List.of(
                Map.<String, String>of(),
                Map.of("root-cas", folder.resolve("server.pem").toString()))) {
            try (ReplicaClient client = Replicas.open(location(url, with(missing, "timeout", "1s")))) {
                assertThatThrownBy(client::prepare)
                        .isInstanceOf(ReplicaException.class)
                        .hasMessageContaining("TLS");
            }
        }
    }

    @Test
    void prepare_unusableTlsFiles_nameSettingAndFile() throws Exception {
        server = NatsServer.start(folder);
        Path file = folder.resolve("text.pem");
        Files.writeString(file, "no certificate");
        certificate("client");
        String key = folder.resolve("client.key").toString();
        String cert = folder.resolve("client.pem").toString();
        assertRefused(Map.of("root-cas", file.toString()), "root-cas names " + file);
        assertRefused(Map.of("root-cas", folder.resolve("none").toString()), "root-cas names");
        assertRefused(Map.of("client-cert", file.toString(), "client-key", key), "client-cert names");
        assertRefused(Map.of("client-cert", cert, "client-key", file.toString()), "openssl pkcs8");
        try (ReplicaClient client =
                Replicas.open(location("nats://" + server.address() + "/b", Map.of("tls", "true")))) {
            assertThatThrownBy(client::prepare) // the server has no TLS
                    .isInstanceOf(ReplicaException.class)
                    .hasMessageContaining("TLS");
        }
    }

    private void assertWorks(Map<String, String> settings) throws Exception {
        assertWorks("nats://" + server.address() + "/b", settings);
    }

    private static void assertWorks(String url, Map<String, String> settings) throws Exception {
        try (ReplicaClient client = Replicas.open(location(url, settings))) {
            client.prepare();
            assertThat(client.url()).doesNotContain("s3cret").doesNotContain("@");
            LtxFileName name = LtxFileName.of(new Txid(System.nanoTime()));
            try (ReplicaUpload upload = client.write(0, name, Instant.EPOCH)) {
                upload.write(new byte[200_000]);
                upload.publish();
            }
            try (InputStream in = client.open(0, name, 0, ReplicaClient.TO_END)) {
                assertThat(in.readAllBytes()).hasSize(200_000);
            }
        }
    }

    private void assertRefused(Map<String, String> settings, String text) throws Exception {
        try (ReplicaClient client = Replicas.open(location("nats://" + server.address() + "/b", settings))) {
            assertThatThrownBy(client::prepare)
                    .isInstanceOf(ReplicaAccessException.class)
                    .hasMessageContaining(text);
        }
    }

    private static void assertCertificateRefused(String url, Map<String, String> settings) throws Exception {
        try (ReplicaClient client = Replicas.open(location(url, settings))) {
            assertThatThrownBy(client::prepare)
                    .isInstanceOf(ReplicaAccessException.class)
                    .hasMessageContaining("certificate is not accepted");
        }
    }

    private static ReplicaLocation location(String url, Map<String, String> settings) {
        return new ReplicaLocation(url, with(settings, "create-bucket", "true"));
    }

    private static Map<String, String> with(Map<String, String> settings, String name, String value) {
        Map<String, String> all = new HashMap<>(settings);
        all.put(name, value);
        return all;
    }

    private static String accountJwt(NKey operator, NKey account, boolean jetStream) throws Exception {
        String storage = jetStream ? ",\"mem_storage\":-1,\"disk_storage\":-1,\"streams\":-1,\"consumer\":-1" : "";
        String claim = "{\"limits\":{\"subs\":-1,\"data\":-1,\"payload\":-1,\"imports\":-1,\"exports\":-1,"
                + "\"wildcards\":true,\"conn\":-1,\"leaf\":-1" + storage + "},"
                + "\"default_permissions\":{\"pub\":{},\"sub\":{}},\"type\":\"account\",\"version\":2}";
        return JwtUtils.issueJWT(
                operator,
                string(account.getPublicKey()),
                "test",
                null,
                JwtUtils.currentTimeSeconds(),
                string(operator.getPublicKey()),
                () -> claim);
    }

    private static String string(char[] text) {
        return new String(text);
    }

    /** Writes a certificate that signs itself, and its key. */
    private void certificate(String name, String... more) throws Exception {
        Path store = folder.resolve(name + ".p12");
        String[] command = {
            Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
            "-genkeypair",
            "-alias",
            "test",
            "-keyalg",
            "EC",
            "-groupname",
            "secp256r1",
            "-dname",
            "CN=" + name,
            "-storetype",
            "PKCS12",
            "-storepass",
            string(PASSWORD),
            "-keystore",
            store.toString()
        };
        String[] all = java.util.Arrays.copyOf(command, command.length + more.length);
        System.arraycopy(more, 0, all, command.length, more.length);
        Process keytool = new ProcessBuilder(all).inheritIO().start();
        assertThat(keytool.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(keytool.exitValue()).isZero();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD);
        }
        write(name + ".pem", "CERTIFICATE", keys.getCertificate("test").getEncoded());
        write(name + ".key", "PRIVATE KEY", keys.getKey("test", PASSWORD).getEncoded());
    }

    private void write(String file, String kind, byte[] content) throws Exception {
        String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
        Files.writeString(
                folder.resolve(file), "-----BEGIN " + kind + "-----\n" + text + "\n-----END " + kind + "-----\n");
    }
}
