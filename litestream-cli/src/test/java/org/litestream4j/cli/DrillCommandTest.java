package org.litestream4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.ReplicaLocation;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class DrillCommandTest {

    @TempDir
    Path temp;

    private Path replica;
    private String url = "";
    private String replicated = "";
    private String out = "";
    private String err = "";

    @BeforeEach
    void replicate() throws Exception {
        replica = temp.resolve("replica");
        url = replica.toUri().toString();
        Path database = temp.resolve("app.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement();
                Litestream litestream = Litestream.builder().build()) {
            statement.execute("pragma journal_mode=wal");
            statement.execute("create table orders(id integer primary key)");
            ManagedDatabase managed = litestream.register(
                    DatabaseConfig.builder(database, ReplicaLocation.of(url)).build());
            for (int i = 0; i < 3; i++) {
                statement.execute("insert into orders values (null)");
                managed.sync(Duration.ofSeconds(30));
            }
            replicated = managed.status().replicated().toString();
        }
    }

    private int run(String... args) {
        StringWriter outText = new StringWriter();
        StringWriter errText = new StringWriter();
        CommandLine commandLine =
                LitestreamCli.commandLine().setOut(new PrintWriter(outText)).setErr(new PrintWriter(errText));
        int code = commandLine.execute(args);
        out = outText.toString();
        err = errText.toString();
        return code;
    }

    private int drill(String... more) {
        List<String> args = new ArrayList<>(
                List.of("drill", "--directory", temp.resolve("drills").toString()));
        args.addAll(List.of(more));
        return run(args.toArray(String[]::new));
    }

    private static JsonNode json(Path file) throws Exception {
        return JsonMapper.shared().readTree(Files.readString(file));
    }

    @Test
    void soundReplica_passes() throws Exception {
        Path report = temp.resolve("drill.json");
        assertThat(drill(url, "--check", "select count(*) > 0 from orders", "--report", report.toString()))
                .as(out + err)
                .isZero();
        assertThat(out)
                .contains("newest   TXID " + replicated, "past     TXID ", "recovery ")
                .endsWith("PASSED\n");
        assertThat(json(report).path("outcome").asString()).isEqualTo("PASSED");
        assertThat(json(report).path("newest").path("txid").asString()).isEqualTo(replicated);
        assertThat(temp.resolve("drill.json.sig")).doesNotExist();
        try (Stream<Path> left = Files.list(temp.resolve("drills"))) {
            assertThat(left).isEmpty();
        }
        assertThat(drill(url, "--json", "--replicated", replicated, "--at", replicated, "--load", "50"))
                .isZero();
        assertThat(JsonMapper.shared().readTree(out).path("past").path("txid").asString())
                .isEqualTo(replicated);
    }

    @Test
    void failedCheck_failsWithCode1() throws Exception {
        Path report = temp.resolve("drill.json");
        assertThat(drill(url, "--check", "select count(*) > 100 from orders", "--report", report.toString()))
                .isEqualTo(1);
        assertThat(out).contains("finding  CHECK: ").endsWith("FAILED\n");
        assertThat(json(report).path("outcome").asString()).isEqualTo("FAILED");
        assertThat(json(report).path("findings").path(0).path("kind").asString())
                .isEqualTo("CHECK");
    }

    @Test
    void outdatedAndEmptyReplicas_failWithCode1() throws Exception {
        assertThat(drill(url, "--replicated", "00000000000000ff")).isEqualTo(1);
        assertThat(out).contains("finding  OUTDATED: ");
        assertThat(drill(temp.resolve("nothing").toUri().toString())).isEqualTo(1);
        assertThat(out).contains("finding  NO_BACKUP: ");
    }

    @Test
    void unreachableStore_isInconclusiveWithCode3() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        Path report = temp.resolve("drill.json");
        String away = "s3://bucket/app?endpoint=http://127.0.0.1:" + port
                + "&region=us-east-1&accessKeyId=key&secretAccessKey=very-secret";
        assertThat(drill(away, "--report", report.toString())).as(out + err).isEqualTo(3);
        assertThat(out).contains("problem  ").endsWith("INCONCLUSIVE\n").doesNotContain("very-secret");
        assertThat(json(report).path("outcome").asString()).isEqualTo("INCONCLUSIVE");
        assertThat(Files.readString(report)).doesNotContain("very-secret");
    }

    @Test
    void invalidUsage_isCode2() {
        String key = temp.resolve("none.pem").toString();
        assertThat(drill()).isEqualTo(2);
        assertThat(drill("no-url")).isEqualTo(2);
        assertThat(drill(url, "--load", "0")).isEqualTo(2);
        assertThat(drill(url, "--at", "yesterday")).isEqualTo(2);
        assertThat(drill(url, "--at", "2199-01-01T00:00:00Z")).isEqualTo(2);
        assertThat(drill(url, "--sign-key", key)).isEqualTo(2);
        assertThat(drill("--verify", "drill.json")).isEqualTo(2);
        assertThat(drill(url, "--verify", "drill.json", "--public-key", key)).isEqualTo(2);
        assertThat(drill(url, "--public-key", key)).isEqualTo(2);
    }

    @Test
    void signature_isValidUntilTheReportChanges() throws Exception {
        KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        Path secret = pem("PRIVATE KEY", pair.getPrivate());
        Path open = pem("PUBLIC KEY", pair.getPublic());
        Path report = temp.resolve("drill.json");
        assertThat(drill(url, "--report", report.toString(), "--sign-key", secret.toString()))
                .as(out + err)
                .isZero();
        assertThat(temp.resolve("drill.json.sig")).hasSize(64);
        String[] verify = {"drill", "--verify", report.toString(), "--public-key", open.toString()};
        assertThat(run(verify)).as(err).isZero();
        assertThat(out).contains("valid signature");
        Path other = pem(
                "PUBLIC KEY",
                KeyPairGenerator.getInstance("Ed25519").generateKeyPair().getPublic());
        assertThat(run("drill", "--verify", report.toString(), "--public-key", other.toString()))
                .isEqualTo(1);
        Files.writeString(report, Files.readString(report).replace("PASSED", "FAILED"));
        assertThat(run(verify)).isEqualTo(1);
        assertThat(err).contains("was changed after it was signed");
        Files.write(temp.resolve("drill.json.sig"), new byte[3]);
        assertThat(run(verify)).isEqualTo(1);
        Files.delete(temp.resolve("drill.json.sig"));
        assertThat(run(verify)).isEqualTo(1);
        assertThat(err).contains("is not signed");
        assertThat(drill(url, "--report", report.toString(), "--sign-key", open.toString()))
                .isEqualTo(2);
        assertThat(err).contains("contains no \"-----BEGIN PRIVATE KEY-----\"");
        assertThat(run("drill", "--verify", report.toString(), "--public-key", rsa().toString()))
                .isEqualTo(2);
        assertThat(err).contains("is not an Ed25519 public key");
    }

    private Path rsa() throws Exception {
        return pem(
                "PUBLIC KEY",
                KeyPairGenerator.getInstance("EC").generateKeyPair().getPublic());
    }

    private Path pem(String type, Key key) throws Exception {
        Path file = Files.createTempFile(temp, "key", ".pem");
        return Files.writeString(
                file,
                "-----BEGIN " + type + "-----\n"
                        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded()) + "\n-----END "
                        + type + "-----\n");
    }
}
