package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.drill.DrillOptions;
import org.litestream4j.drill.DrillOutcome;
import org.litestream4j.drill.DrillReport;
import org.litestream4j.drill.RestoreDrill;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.s3.FaultProxy.Fault;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.SqliteFixture;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.S3Object;

/** Drills of a replica in a store that bills, fails and loses. */
class S3DrillTest {

    private static S3Server server;

    @TempDir
    Path folder;

    private String path;
    private Txid replicated = Txid.NONE;

    @BeforeAll
    static void start() throws Exception {
        server = new S3Server();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    @BeforeEach
    void replicate() throws Exception {
        path = server.freshPath();
        try (Litestream litestream = EngineFixture.litestream()) {
            Path database = folder.resolve("app.db");
            ManagedDatabase managed =
                    litestream.register(DatabaseConfig.builder(database, S3Server.location(server.port(), path, ""))
                            .build());
            try (Connection connection =
                    managed.wrap(SqliteFixture.dataSource(database)).getConnection()) {
                execute(connection, "create table orders(id integer primary key, item)");
                for (int i = 0; i < 3; i++) {
                    execute(connection, "insert into orders(item) values (hex(randomblob(500)))");
                    managed.sync(EngineFixture.TIMEOUT);
                }
            }
            replicated = managed.status().replicated();
        }
    }

    private DrillReport drill(int port) {
        return RestoreDrill.run(
                listener -> S3TestClients.open(S3Server.location(port, path, ""), listener),
                DrillOptions.builder(folder.resolve("drills")).load(100).build(),
                replicated);
    }

    private List<S3Object> objects() {
        return server.sdk()
                .listObjectsV2(request -> request.bucket(S3Server.BUCKET).prefix(path + "/"))
                .contents();
    }

    @Test
    void soundReplica_passesAndCountsItsRequests() {
        DrillReport report = drill(server.port());
        assertThat(report.outcome()).as(report.toString()).isEqualTo(DrillOutcome.PASSED);
        assertThat(report.requests()).containsOnlyKeys("GET", "LIST", "HEAD");
        assertThat(report.requests().get("GET"))
                .isGreaterThanOrEqualTo(objects().size());
        double micros = report.requests().get("LIST") * 5.0
                + (report.requests().get("GET") + report.requests().get("HEAD")) * 0.4;
        assertThat(report.costMicros()).isEqualTo(Math.round(micros));
        assertThat(report.bytesReceived()).isPositive();
        assertThat(report.toString()).doesNotContain(S3Server.ACCESS_KEY, S3Server.SECRET_KEY);
    }

    @Test
    void lostAndDamagedObjects_areFindings() throws Exception {
        List<S3Object> objects = objects();
        assertThat(objects).hasSizeGreaterThan(2);
        S3Object newest = objects.stream()
                .filter(object -> object.key().contains(replicated.toString()))
                .findFirst()
                .orElseThrow();
        byte[] good = server.sdk()
                .getObjectAsBytes(request -> request.bucket(S3Server.BUCKET).key(newest.key()))
                .asByteArray();
        byte[] bad = good.clone();
        bad[bad.length / 2] ^= 8;
        put(newest, bad);
        assertFailed(drill(server.port()));
        put(newest, java.util.Arrays.copyOf(good, good.length - 7));
        assertFailed(drill(server.port()));
        delete(newest);
        assertFailed(drill(server.port()));
        objects().forEach(this::delete);
        DrillReport emptied = drill(server.port());
        assertFailed(emptied);
        assertThat(emptied.findings().toString()).contains("there is no backup");
    }

    private void put(S3Object object, byte[] content) {
        server.sdk()
                .putObject(
                        request -> request.bucket(S3Server.BUCKET).key(object.key()), RequestBody.fromBytes(content));
    }

    private void delete(S3Object object) {
        server.sdk().deleteObject(request -> request.bucket(S3Server.BUCKET).key(object.key()));
    }

    private static void assertFailed(DrillReport report) {
        assertThat(report.outcome()).as(report.toString()).isEqualTo(DrillOutcome.FAILED);
    }

    static Stream<Fault> outages() {
        return Stream.of(
                new Fault.ResetBefore(),
                new Fault.Answer(503, "", ""),
                new Fault.Answer(500, "", ""),
                new Fault.Answer(403, "", ""),
                new Fault.Answer(
                        404,
                        "",
                        "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>x</Message></Error>"));
    }

    @ParameterizedTest
    @MethodSource("outages")
    void outage_isInconclusive(Fault fault) throws Exception {
        try (FaultProxy proxy = new FaultProxy(server.port())) {
            proxy.faults = request -> fault;
            assertInconclusive(drill(proxy.port()));
        }
    }

    /** Every listing works, and no file can be read. */
    @Test
    void storeThatDeniesReading_isInconclusive() throws Exception {
        try (FaultProxy proxy = new FaultProxy(server.port())) {
            proxy.faults =
                    request -> request.target().contains("list-type") ? FaultProxy.NONE : new Fault.Answer(403, "", "");
            assertInconclusive(drill(proxy.port()));
        }
    }

    @Test
    void portWithoutAServer_isInconclusive() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        assertInconclusive(drill(port));
    }

    private static void assertInconclusive(DrillReport report) {
        assertThat(report.outcome()).as(report.toString()).isEqualTo(DrillOutcome.INCONCLUSIVE);
        assertThat(report.problem()).isNotBlank().doesNotContain(S3Server.SECRET_KEY);
    }
}
