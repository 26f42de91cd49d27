package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.LitestreamEvent.Conflict;
import org.litestream4j.LitestreamEvent.Registered;
import org.litestream4j.LitestreamEvent.ReplicationFailed;
import org.litestream4j.LitestreamEvent.ReplicationRecovered;
import org.litestream4j.LitestreamEvent.Restored;
import org.litestream4j.LitestreamEvent.SnapshotPublished;
import org.litestream4j.LitestreamEvent.Step;
import org.litestream4j.LitestreamEvent.Unregistered;
import org.litestream4j.LitestreamEvent.Validated;
import org.litestream4j.compaction.Validation;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.EngineFixture;

/** What happens is told once, also when a listener fails. */
class LitestreamListenerTest extends EngineFixture {

    private final List<LitestreamEvent> events = new CopyOnWriteArrayList<>();
    private Litestream litestream;
    private ManagedDatabase database;
    private Connection connection;

    @BeforeEach
    void begin() throws Exception {
        create("CREATE TABLE t(x)");
        begin(config());
    }

    private void begin(DatabaseConfig.Builder config) throws Exception {
        litestream = Litestream.builder()
                .watchInterval(Duration.ofMillis(50))
                .listener(event -> {
                    throw new IllegalStateException("broken listener");
                })
                .listener(events::add)
                .build();
        DatabaseConfig built = config.build();
        litestream.restoreIfMissing(built);
        database = litestream.register(built);
        connection = open(database);
    }

    @AfterEach
    void end() throws Exception {
        connection.close();
        litestream.close();
    }

    @Test
    void registeredAndUnregistered_areTold() throws Exception {
        database.sync(TIMEOUT);
        assertThat(events).containsExactly(new Registered(database));
        connection.close();
        litestream.unregister(database.name());
        assertThat(events).containsExactly(new Registered(database), new Unregistered("app.db"));
    }

    @Test
    void outage_isToldOnce_andSoIsItsEnd() throws Exception {
        database.sync(TIMEOUT);
        replicaGoes();
        execute(connection, "INSERT INTO t VALUES (1)");
        await().atMost(TIMEOUT)
                .until(() -> failures() >= 2 && !of(ReplicationFailed.class).isEmpty());
        assertThat(of(ReplicationFailed.class)).singleElement().satisfies(event -> {
            assertThat(event.database()).isEqualTo("app.db");
            assertThat(event.step()).isEqualTo(Step.UPLOAD);
            assertThat(event.replica()).isEqualTo(database.status().replica());
            assertThat(event.error()).isEqualTo(database.status().lastError());
            assertThat(event.at()).isEqualTo(database.status().lastErrorAt());
        });
        assertThat(of(ReplicationRecovered.class)).isEmpty();
        replicaReturns();
        database.sync(TIMEOUT);
        await().atMost(TIMEOUT).until(() -> !of(ReplicationRecovered.class).isEmpty());
        assertThat(of(ReplicationRecovered.class)).singleElement().satisfies(event -> {
            assertThat(event.step()).isEqualTo(Step.UPLOAD);
            assertThat(event.outage()).isPositive();
        });
        assertThat(of(ReplicationFailed.class)).hasSize(1);
    }

    /** Of all requests to the replica. */
    private long failures() {
        return database.statistics().operations().values().stream()
                .mapToLong(Tally::failures)
                .sum();
    }

    @Test
    void conflict_isToldInsteadOfAFailure() throws Exception {
        database.sync(TIMEOUT);
        LtxFileName next = LtxFileName.of(database.status().captured().next());
        Path level0 = replica.resolve("ltx/0");
        Files.writeString(level0.resolve(next.toString()), "somebody else's");
        execute(connection, "INSERT INTO t VALUES (1)");
        await().atMost(TIMEOUT).until(() -> database.status().state() == DatabaseState.CONFLICT);
        await().atMost(TIMEOUT).until(() -> !of(Conflict.class).isEmpty());
        assertThat(of(Conflict.class)).singleElement().satisfies(event -> assertThat(event.error())
                .isEqualTo(database.status().lastError()));
        assertThat(of(ReplicationFailed.class)).isEmpty();
    }

    @Test
    void snapshot_isTold() throws Exception {
        database.sync(TIMEOUT);
        execute(connection, "INSERT INTO t VALUES (1)");
        var txid = database.snapshot(TIMEOUT);
        await().atMost(TIMEOUT).until(() -> !of(SnapshotPublished.class).isEmpty());
        assertThat(of(SnapshotPublished.class))
                .containsExactly(
                        new SnapshotPublished("app.db", database.status().replica(), txid));
    }

    @Test
    void restores_areTold_beforeTheStartAndInPlace() throws Exception {
        execute(connection, "INSERT INTO t VALUES (1)");
        database.restoreInPlace(RestoreOptions.defaults(), TIMEOUT);
        assertThat(of(Restored.class)).singleElement().satisfies(event -> {
            assertThat(event.path()).isEqualTo(path);
            assertThat(event.result().target()).isNotEqualTo(path);
        });
        connection.close();
        litestream.close();
        for (String suffix : List.of("", "-wal", "-shm")) {
            Files.deleteIfExists(path.resolveSibling("app.db" + suffix));
        }
        events.clear();
        begin(config());
        assertThat(events.get(0)).isInstanceOfSatisfying(Restored.class, event -> assertThat(
                        event.result().target())
                .isEqualTo(path));
    }

    @Test
    void scheduledValidation_isTold_andRemembered() throws Exception {
        connection.close();
        litestream.unregister(database.name());
        begin(config().validationInterval(Duration.ofMillis(1)).levels(List.of(Duration.ofSeconds(1))));
        execute(connection, "INSERT INTO t VALUES (1)");
        database.sync(TIMEOUT);
        execute(connection, "INSERT INTO t VALUES (2)");
        database.sync(TIMEOUT);
        await().atMost(TIMEOUT).until(() -> !of(Validated.class).isEmpty());
        assertThat(of(Validated.class).get(0).result().isSound()).isTrue();
        assertThat(database.lastValidation()).isPresent();
        assertThat(database.lastValidationAt()).isPresent();
        assertThat(database.lastDeepValidation()).isEmpty();
    }

    @Test
    void deepValidation_isRememberedBesideTheLast() throws Exception {
        database.sync(TIMEOUT);
        assertThat(database.lastValidation()).isEmpty();
        damageOneFile();
        Validation.Result deep = database.validate(true);
        assertThat(deep.isSound()).isFalse();
        Validation.Result shallow = database.validate(false);
        assertThat(shallow.isSound()).isTrue();
        assertThat(database.lastValidation()).contains(shallow);
        assertThat(database.lastDeepValidation()).contains(deep);
    }

    private void damageOneFile() throws IOException {
        try (var files = Files.walk(replica)) {
            Path file = files.filter(name -> name.toString().endsWith(".ltx"))
                    .findFirst()
                    .orElseThrow();
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length - 1] ^= 1;
            Files.write(file, bytes);
        }
    }

    private <T extends LitestreamEvent> List<T> of(Class<T> type) {
        return events.stream().filter(type::isInstance).map(type::cast).toList();
    }
}
