package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.LitestreamEvent.Healed;
import org.litestream4j.compaction.Validation;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.GatedReplicaProvider;
import org.litestream4j.testing.SqliteFixture;

/** Damage here and at the replica: healed with {@code autoRecover}, and only told without. */
class AutoRecoverTest extends EngineFixture {

    private final List<Healed> healed = new CopyOnWriteArrayList<>();
    private Litestream litestream;
    private ManagedDatabase database;
    private Connection connection;

    private void begin(DatabaseConfig.Builder config) throws Exception {
        litestream = Litestream.builder()
                .watchInterval(Duration.ofMillis(50))
                .listener(event -> {
                    if (event instanceof Healed told) {
                        healed.add(told);
                    }
                })
                .build();
        database = litestream.register(config.levels(List.of(NEVER))
                .shutdownSyncTimeout(Duration.ofMinutes(1))
                .build());
        connection = open(database);
    }

    private void beginNew(DatabaseConfig.Builder config) throws Exception {
        create("CREATE TABLE t(x)");
        begin(config);
        for (int i = 0; i < 5; i++) {
            execute(connection, "INSERT INTO t VALUES (" + i + ")");
            database.sync(TIMEOUT);
        }
    }

    @AfterEach
    void end() throws Exception {
        connection.close();
        litestream.close();
    }

    @Test
    void lostLocalFile_isReportedAndWaitedFor_withoutAutoRecover() throws Exception {
        beginNew(config().autoRecover(false));
        Path lost = loseOneOfThePending();
        await().atMost(TIMEOUT).until(() -> database.status().state() == DatabaseState.NEEDS_RECOVERY);
        assertThat(database.status().lastError())
                .contains(lost.getFileName().toString())
                .contains("missing or damaged")
                .contains("set autoRecover=true");
        Txid before = LtxFileName.parse(lost.getFileName().toString())
                .orElseThrow()
                .min()
                .previous();
        assertThat(database.status().replicated()).isEqualTo(before);
        execute(connection, "INSERT INTO t VALUES (7)");
        assertThatThrownBy(() -> database.awaitReplicated(Duration.ofMillis(100)))
                .isInstanceOf(NotReplicatedException.class)
                .hasMessageContaining("needs_recovery");
        assertThat(images()).isEqualTo(1);
        assertThat(healed).isEmpty();

        Files.move(folder.resolve("lost"), lost);
        await().atMost(TIMEOUT).until(() -> database.status().state() == DatabaseState.REPLICATING);
        assertReplicated(database, connection);
        assertThat(images()).isEqualTo(1);
    }

    @Test
    void lostLocalFile_atTheStart_isReportedFirst_thenHealed() throws Exception {
        beginNew(config().autoRecover(false));
        loseOneOfThePending();
        await().atMost(TIMEOUT).until(() -> database.status().state() == DatabaseState.NEEDS_RECOVERY);
        end();

        begin(config().autoRecover(false));
        await().atMost(TIMEOUT).until(() -> database.status().state() == DatabaseState.NEEDS_RECOVERY);
        assertThat(images()).isEqualTo(1);
        long begun = System.nanoTime();
        end();
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(30));

        begin(config());
        assertReplicated(database, connection);
        assertThat(images()).isEqualTo(2);
        assertThat(healed).singleElement().satisfies(event -> {
            assertThat(event.problem()).contains("missing or damaged");
            assertThat(event.remedy()).startsWith("a full image follows");
        });
    }

    @Test
    void lostLocalFile_thatIsOnTheReplica_isNotNeeded() throws Exception {
        GatedReplicaProvider.Control control = GatedReplicaProvider.control(replica);
        create("CREATE TABLE t(x)");
        begin(DatabaseConfig.builder(path, GatedReplicaProvider.location(replica))
                .syncInterval(Duration.ofMillis(10))
                .autoRecover(false));
        database.sync(TIMEOUT);
        control.answersLost = true;
        execute(connection, "INSERT INTO t VALUES (1)");
        Txid unheard = database.status().replicated().next();
        await().atMost(TIMEOUT).until(() -> database.status().lastError() != null);
        assertThat(SqliteFixture.level0(replica)).contains(LtxFileName.of(unheard));
        Files.delete(local(unheard));
        control.answersLost = false;
        database.sync(TIMEOUT);
        assertThat(images()).isEqualTo(1);
        assertThat(logged()).anyMatch(line -> line.startsWith("local file is lost, but already on the replica"));
        connection.close();
        litestream.close();
        assertReplicaIsDatabase();
    }

    @Test
    void unreachableState_isHealedByASnapshot() throws Exception {
        beginNew(remote());
        loseOneOfTheReplica();
        Validation.Result found = database.validate(false);
        assertThat(found.uncovered()).extracting(Validation.Problem::kind).contains(Validation.Kind.UNREACHABLE);
        await().atMost(TIMEOUT).until(() -> !healed.isEmpty());
        assertThat(database.lastValidation().orElseThrow().uncovered()).isEmpty();
        assertThat(healed).singleElement().satisfies(event -> {
            assertThat(event.problem()).contains("UNREACHABLE");
            assertThat(event.remedy()).startsWith("a snapshot");
        });
        assertThat(logged()).anyMatch(line -> line.startsWith("replica healed"));
        execute(connection, "INSERT INTO t VALUES (9)");
        database.sync(TIMEOUT);
        assertRestorable();
    }

    @Test
    void unreachableState_isOnlyReported_withoutAutoRecover() throws Exception {
        beginNew(remote().autoRecover(false));
        loseOneOfTheReplica();
        assertThat(database.validate(false).uncovered()).isNotEmpty();
        execute(connection, "INSERT INTO t VALUES (9)");
        database.sync(TIMEOUT);
        assertThat(logged()).anyMatch(line -> line.contains("auto-recover is off"));
        assertThat(database.validate(false).uncovered()).isNotEmpty();
        assertThat(SqliteFixture.level(replica, 9)).hasSize(1);
        assertThat(healed).isEmpty();
        assertThatThrownBy(this::assertRestorable).isInstanceOf(RestoreException.class);

        database.snapshot(TIMEOUT); // the remedy
        assertThat(database.validate(false).uncovered()).isEmpty();
        assertRestorable();
    }

    @Test
    void damagedFile_isHealedByASnapshot_andStaysKnown() throws Exception {
        beginNew(remote());
        Path damaged = level0(database.status().replicated());
        byte[] bytes = Files.readAllBytes(damaged);
        bytes[bytes.length - 1] ^= 1;
        Files.write(damaged, bytes);
        execute(connection, "INSERT INTO t VALUES (9)");
        database.sync(TIMEOUT);
        assertThat(database.validate(true).uncovered())
                .extracting(Validation.Problem::kind)
                .containsExactly(Validation.Kind.DAMAGED);
        await().atMost(TIMEOUT).until(() -> !healed.isEmpty());
        Validation.Result deep = database.validate(true);
        assertThat(deep.isSound()).as("a past state is lost").isFalse();
        assertThat(deep.uncovered()).isEmpty();
        assertRestorable();
    }

    /** What follows a damaged file is restored from a snapshot: until it is there, nothing counts as replicated. */
    @ParameterizedTest
    @ValueSource(ints = {0, 7, 8, 99, 100, 150})
    void truncatedNewestFile_isPassedByASnapshotBeforeAnythingCountsAsReplicated(int length) throws Exception {
        beginNew(config());
        end();
        Path newest = level0(database.status().replicated());
        byte[] content = Files.readAllBytes(newest);
        Files.write(newest, Arrays.copyOf(content, length));
        begin(config());
        execute(connection, "INSERT INTO t VALUES (9)");
        database.sync(TIMEOUT);
        assertRestorable();
        await().atMost(TIMEOUT).until(() -> database.status().lag().isZero());
    }

    /** A full image alone, behind a file that nothing leads to, could not be restored. */
    @Test
    void strayFileOnTheReplica_isNotFollowedIntoTheVoid() throws Exception {
        beginNew(config());
        end();
        Files.copy(
                level0(database.status().replicated()),
                level0(new Txid(database.status().replicated().value() + 50)));
        begin(config());
        await().atMost(TIMEOUT).until(() -> !healed.isEmpty());
        assertThat(images()).isEqualTo(2);
        execute(connection, "INSERT INTO t VALUES (9)");
        database.sync(TIMEOUT);
        assertRestorable();
    }

    /** A replica where a missing file costs a request to notice: the newest is looked for after seconds. */
    private DatabaseConfig.Builder remote() {
        GatedReplicaProvider.control(replica);
        return DatabaseConfig.builder(path, GatedReplicaProvider.location(replica))
                .syncInterval(Duration.ofMillis(10));
    }

    private void assertRestorable() throws Exception {
        Path restored = folder.resolve("restored.db");
        Files.deleteIfExists(restored);
        try (ReplicaClient client = Replicas.open(database.config().replica())) {
            Restore.restore(client, restored, RestoreOptions.defaults());
        }
        try (Connection reader = java.sql.DriverManager.getConnection("jdbc:sqlite:" + restored)) {
            assertThat(SqliteFixture.query(reader, "SELECT sum(x) FROM t"))
                    .isEqualTo(SqliteFixture.query(connection, "SELECT sum(x) FROM t"));
        }
        assertThat(SqliteFixture.integrity(restored)).isEqualTo("ok");
    }

    /** The replica is away for some transactions, and one of their files is lost meanwhile. */
    private Path loseOneOfThePending() throws Exception {
        replicaGoes();
        Txid replicated = database.status().replicated();
        for (int i = 0; i < 4; i++) {
            Txid before = database.status().captured();
            execute(connection, "INSERT INTO t VALUES (1)");
            await().atMost(TIMEOUT).until(() -> {
                assertThatThrownBy(() -> database.sync(Duration.ofMillis(50))).isInstanceOf(LitestreamException.class);
                return database.status().captured().isAfter(before);
            });
        }
        Path lost = local(replicated.next().next());
        Files.move(lost, folder.resolve("lost"));
        replicaReturns();
        return lost;
    }

    private void loseOneOfTheReplica() throws IOException {
        Files.delete(level0(database.status().replicated().previous()));
    }

    private Path level0(Txid txid) {
        return replica.resolve("ltx/0").resolve(LtxFileName.of(txid).toString());
    }

    private Path local(Txid txid) {
        return metaPath().resolve("ltx/0").resolve(LtxFileName.of(txid).toString());
    }
}
