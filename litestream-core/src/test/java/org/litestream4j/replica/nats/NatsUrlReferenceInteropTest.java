package org.litestream4j.replica.nats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.replica.OtherBackup;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.SqliteFixture;

/**
 * A {@code nats://} URL names the same bucket for us and for a {@code litestream} program. Run with {@code -Dlitestream.reference=PATH};
 * skipped without it.
 */
class NatsUrlReferenceInteropTest {

    @TempDir
    private Path folder;

    private NatsServer server;
    private Path program;
    private Path database;

    @BeforeEach
    void findProgram() throws Exception {
        String configured = System.getProperty("litestream.reference", "");
        assumeTrue(!configured.isEmpty(), "needs a litestream program: -Dlitestream.reference=PATH");
        program = Path.of(configured);
        server = NatsServer.start(folder.resolve("server"));
        database = folder.resolve("app.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
            SqliteFixture.execute(connection, "pragma journal_mode=wal", "create table t(x)");
        }
    }

    @AfterEach
    void stop() {
        if (server != null) {
            server.close();
        }
    }

    @ParameterizedTest
    @MethodSource("org.litestream4j.replica.UrlTable#buckets")
    void natsUrl_namesTheSameBucket(String path, String bucket) throws Exception {
        server.createBucket(bucket);
        String url = "nats://" + server.address() + path;
        replicateHere(url);
        run("restore", "-o", folder.resolve("theirs.db").toString(), url);
        server.with(connection -> {
            connection.objectStoreManagement().delete(bucket);
            return true;
        });
        server.createBucket(bucket);
        Path configuration = Files.writeString(
                folder.resolve("litestream.yml"),
                """
                dbs:
                  - path: %s
                    meta-path: %s
                    replica:
                      url: %s
                """
                        .formatted(database, folder.resolve("their-state"), url));
        run("replicate", "-once", "-config", configuration.toString());
        restoreHere(url);
    }

    /** It writes to the top of the bucket. */
    @Test
    void settingPath_whichLitestreamIgnores_isNoReasonToBeginEmpty() throws Exception {
        server.createBucket("bucket");
        Path configuration = Files.writeString(
                folder.resolve("litestream.yml"),
                """
                dbs:
                  - path: %s
                    replica:
                      type: nats
                      url: nats://%s/bucket
                      path: app
                """
                        .formatted(database, server.address()));
        run("replicate", "-once", "-config", configuration.toString());
        restoreHere("nats://" + server.address() + "/bucket");
        try (ReplicaClient client = Replicas.open(
                new ReplicaLocation("nats://" + server.address() + "/bucket", java.util.Map.of("path", "app")))) {
            assertThat(client.otherBackup())
                    .map(OtherBackup::problem)
                    .get()
                    .asString()
                    .contains("top of the bucket");
        }
    }

    private void replicateHere(String url) throws Exception {
        DatabaseConfig config = DatabaseConfig.builder(database, ReplicaLocation.of(url))
                .metaPath(folder.resolve("state"))
                .build();
        try (Litestream litestream = Litestream.builder().build()) {
            litestream.register(config).sync(Duration.ofSeconds(30));
        }
    }

    private void restoreHere(String url) throws Exception {
        try (ReplicaClient client = Replicas.open(ReplicaLocation.of(url))) {
            Restore.restore(client, folder.resolve("ours.db"), RestoreOptions.defaults());
        }
    }

    private void run(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        Path log = folder.resolve("program.log");
        Process running = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        assertThat(running.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(running.exitValue()).as(Files.readString(log)).isZero();
    }
}
