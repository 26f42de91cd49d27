package org.litestream4j.replica.nats;

import static org.assertj.core.api.Assertions.assertThat;

import io.nats.client.api.ClusterInfo;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.SqliteFixture;

/** Three servers that keep three copies, of which one is killed. */
@Tag("slow")
class NatsClusterTest {

    private static final int ROWS = 500;

    @TempDir
    Path folder;

    private final List<NatsServer> servers = new ArrayList<>();

    private ReplicaLocation location;

    private ReplicaClient client;

    @BeforeEach
    void startCluster() {
        List<Integer> ports = NatsServer.freePorts(6);
        String routes = ports.subList(3, 6).stream()
                .map(port -> "\"nats://127.0.0.1:" + port + "\"")
                .collect(Collectors.joining(", "));
        for (int i = 0; i < 3; i++) {
            servers.add(NatsServer.start(
                    folder.resolve("n" + i),
                    ports.get(i),
                    true,
                    "server_name: n" + i + "\ncluster { name: c, listen: \"127.0.0.1:" + ports.get(3 + i)
                            + "\", routes: [ " + routes + " ] }"));
        }
        String urls = servers.stream().map(NatsServer::address).collect(Collectors.joining(","));
        location = new ReplicaLocation(
                "nats://" + urls + "/backups",
                Map.of("create-bucket", "true", "replicas", "3", "reconnect-wait", "100ms"));
        client = Replicas.open(location);
        await(() -> client.prepare()); // the servers must find each other first
    }

    @AfterEach
    void stop() throws IOException {
        if (client != null) {
            client.close();
        }
        servers.forEach(NatsServer::close);
    }

    @Test
    void leaderKilled_writingListingAndReadingGoOn() throws Exception {
        put(1, 500_000);
        NatsServer leader = leader();
        leader.kill();
        await(() -> put(2, 3_000_000)); // as the upload lane does: again until it succeeds
        await(() -> put(3, 1000));
        assertWhole(1, 500_000);
        assertWhole(2, 3_000_000);
        assertWhole(3, 1000);
        assertThat(names()).containsExactly(name(1), name(2), name(3));
        await(() -> client.delete(0, List.of(name(1))));
        leader.start();
        await(() -> put(4, 200_000));
        // the server that was away catches up meanwhile: it may show what was deleted, but never hide what was written
        for (int i = 0; i < 20; i++) {
            assertThat(names()).contains(name(2), name(3), name(4));
        }
        assertWhole(2, 3_000_000);
        assertWhole(4, 200_000);
    }

    @Test
    void leaderKilled_replicationAndRestoreGoOn_neverToAnOlderState() throws Exception {
        Path path = folder.resolve("app.db");
        NatsServer leader = leader();
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database =
                    litestream.register(DatabaseConfig.builder(path, location).build());
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                SqliteFixture.execute(connection, "create table t(id integer primary key, x)");
                insertAndSync(connection, database);
                assertThat(restoredRows()).isEqualTo(ROWS);
                leader.kill();
                insertAndSync(connection, database);
                insertAndSync(connection, database);
                assertThat(restoredRows()).isEqualTo(3 * ROWS);
                leader.start();
                for (int i = 4; i <= 8; i++) { // while it catches up
                    insertAndSync(connection, database);
                    assertThat(restoredRows()).isEqualTo((long) i * ROWS);
                }
            }
        }
        Path restored = restore();
        assertThat(restored).hasSameBinaryContentAs(path);
        assertThat(SqliteFixture.integrity(restored)).isEqualTo("ok");
    }

    private static void insertAndSync(Connection connection, ManagedDatabase database) throws Exception {
        SqliteFixture.execute(
                connection,
                "with recursive n(i) as (select 1 union all select i + 1 from n where i < " + ROWS
                        + ") insert into t(x) select randomblob(300) from n");
        database.sync(Duration.ofMinutes(1));
    }

    private long restoredRows() throws Exception {
        try (Connection connection = SqliteFixture.dataSource(restore()).getConnection()) {
            return SqliteFixture.query(connection, "select count(*) from t");
        }
    }

    /** May fail while leaders change, as the one who restores would see; what it gives must be the newest state. */
    private Path restore() throws IOException {
        Path restored = Files.createTempDirectory(folder, "restored").resolve("app.db");
        await(() -> Restore.restore(client, restored, RestoreOptions.defaults()));
        return restored;
    }

    private NatsServer leader() throws Exception {
        ClusterInfo cluster = servers.get(0).with(connection -> connection
                .jetStreamManagement()
                .getStreamInfo("OBJ_backups")
                .getClusterInfo());
        assertThat(cluster.getReplicas()).hasSize(2);
        return servers.get(Integer.parseInt(cluster.getLeader().substring(1)));
    }

    private interface Step {
        void run() throws IOException;
    }

    private static void await(Step step) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(200))
                .untilAsserted(() -> {
                    try {
                        step.run();
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                });
    }

    private static LtxFileName name(long txid) {
        return LtxFileName.of(new Txid(txid));
    }

    private static byte[] content(long seed, int size) {
        byte[] content = new byte[size];
        new Random(seed).nextBytes(content);
        return content;
    }

    private void put(long txid, int size) throws IOException {
        try (ReplicaUpload upload = client.write(0, name(txid), Instant.EPOCH)) {
            upload.write(content(txid, size));
            upload.publish();
        }
    }

    /** While leaders change a read may fail, but must not bring anything else. */
    private void assertWhole(long txid, int size) {
        List<byte[]> read = new ArrayList<>();
        await(() -> {
            try (InputStream in = client.open(0, name(txid), 0, ReplicaClient.TO_END)) {
                read.add(in.readAllBytes());
            }
        });
        assertThat(read).hasSize(1);
        assertThat(read.get(0)).isEqualTo(content(txid, size));
    }

    /** Likewise for a listing. */
    private List<LtxFileName> names() {
        List<LtxFileName> names = new ArrayList<>();
        await(() -> {
            names.clear();
            client.list(0, Txid.NONE, file -> names.add(file.name()));
        });
        return names;
    }
}
