package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.io.IOException;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.LitestreamOperation.End;
import org.litestream4j.LitestreamOperation.Kind;
import org.litestream4j.LitestreamOperation.Outcome;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.EngineFixture;

/** Who listens is told when each operation begins and how it ends, on one thread. */
class LitestreamOperationTest extends EngineFixture {

    /** One operation from its begin to its end. */
    private record Seen(LitestreamOperation operation, Thread thread, Outcome outcome) {}

    private final List<Seen> ended = new CopyOnWriteArrayList<>();
    private final Set<LitestreamOperation> open = ConcurrentHashMap.newKeySet();
    private Litestream litestream;
    private @Nullable Connection connection;

    @BeforeEach
    void begin() {
        litestream = Litestream.builder()
                .watchInterval(Duration.ofMillis(50))
                .listener(new Broken())
                .listener(new Recorder())
                .build();
    }

    @AfterEach
    void end() throws Exception {
        if (connection != null) {
            connection.close();
        }
        litestream.close();
        assertThat(open).isEmpty();
    }

    @Test
    void captureUploadAndMerge_areTold_withWhatTheyWrote() throws Exception {
        create("CREATE TABLE t(x)");
        ManagedDatabase database = litestream.register(config().build());
        connection = open(database);
        for (int i = 0; i < 3; i++) {
            execute(connection, "INSERT INTO t VALUES (zeroblob(5000))");
            database.sync(TIMEOUT);
        }
        Txid captured = database.status().captured();
        await().atMost(TIMEOUT)
                .until(() -> last(Kind.UPLOAD).outcome().txid().equals(captured)); // told just behind the position
        database.compact(TIMEOUT);
        assertThat(of(Kind.SYNC)).isNotEmpty().allSatisfy(seen -> {
            assertThat(seen.operation()).isEqualTo(new LitestreamOperation(Kind.SYNC, "app.db", -1));
            assertThat(seen.thread().getName()).contains("litestream");
        });
        assertThat(last(Kind.SYNC).outcome().txid()).isEqualTo(captured);
        assertThat(of(Kind.UPLOAD))
                .extracting(seen -> seen.operation().level())
                .startsWith(ReplicaClient.SNAPSHOT_LEVEL)
                .endsWith(0);
        assertThat(of(Kind.UPLOAD).stream()
                                .mapToLong(seen -> seen.outcome().bytes())
                                .sum()
                        + of(Kind.COMPACTION).stream()
                                .mapToLong(seen -> seen.outcome().bytes())
                                .sum())
                .isEqualTo(database.statistics()
                        .operations()
                        .get(ReplicaOperation.PUT)
                        .bytes());
        assertThat(of(Kind.COMPACTION)).singleElement().satisfies(seen -> {
            assertThat(seen.operation().level()).isEqualTo(1);
            assertThat(seen.outcome().txid()).isEqualTo(captured);
        });
        assertThat(ended).allSatisfy(seen -> assertThat(seen.outcome().error()).isNull());
    }

    @Test
    void snapshot_isAnUpload() throws Exception {
        create("CREATE TABLE t(x)");
        ManagedDatabase database = litestream.register(config().build());
        connection = open(database);
        database.sync(TIMEOUT);
        execute(connection, "INSERT INTO t VALUES (1)");
        Txid txid = database.snapshot(TIMEOUT);
        await().atMost(TIMEOUT).until(() -> of(Kind.UPLOAD).stream()
                .anyMatch(seen -> seen.operation().level() == ReplicaClient.SNAPSHOT_LEVEL
                        && seen.outcome().txid().equals(txid)
                        && seen.outcome().bytes() > 0));
    }

    @Test
    void failedUpload_tellsItsError() throws Exception {
        create("CREATE TABLE t(x)");
        ManagedDatabase database = litestream.register(config().build());
        connection = open(database);
        database.sync(TIMEOUT);
        replicaGoes();
        execute(connection, "INSERT INTO t VALUES (1)");
        await().atMost(TIMEOUT).until(() -> last(Kind.UPLOAD).outcome().error() != null);
        assertThat(last(Kind.UPLOAD).outcome().error()).isInstanceOf(IOException.class);
        replicaReturns();
    }

    @Test
    void waitOfACommit_isToldOnItsOwnThread() throws Exception {
        create("CREATE TABLE t(x)");
        ManagedDatabase database = litestream.register(config().build());
        connection = open(database);
        execute(connection, "INSERT INTO t VALUES (1)");
        database.awaitReplicated(TIMEOUT);
        assertThat(of(Kind.COMMIT_WAIT)).singleElement().satisfies(seen -> {
            assertThat(seen.thread()).isSameAs(Thread.currentThread());
            assertThat(seen.outcome().txid()).isEqualTo(database.status().replicated());
            assertThat(seen.outcome().error()).isNull();
        });
        connection.close();
        litestream.close();
        assertThatThrownBy(() -> database.awaitReplicated(TIMEOUT)).isInstanceOf(NotReplicatedException.class);
        assertThat(last(Kind.COMMIT_WAIT).outcome().error()).isInstanceOf(NotReplicatedException.class);
    }

    @Test
    void restores_areTold_andAMissingBackupIsNoFailureOfAStart() throws Exception {
        DatabaseConfig config = config().build();
        assertThat(litestream.restoreIfMissing(config)).isEmpty();
        assertThat(last(Kind.RESTORE).outcome()).isEqualTo(Outcome.NOTHING);
        create("CREATE TABLE t(x)");
        ManagedDatabase database = litestream.register(config);
        assertThat(database.statistics().restores().failures()).isZero();
        database.sync(TIMEOUT);
        var restored = database.restoreTo(folder.resolve("copy.db"), RestoreOptions.defaults());
        assertThat(last(Kind.RESTORE).outcome()).isEqualTo(new Outcome(restored.txid(), restored.bytesRead(), null));
        assertThatThrownBy(() -> database.restoreTo(folder.resolve("copy.db"), RestoreOptions.defaults()))
                .isInstanceOf(RestoreException.class);
        assertThat(last(Kind.RESTORE).outcome().error()).isInstanceOf(RestoreException.class);
        assertThat(of(Kind.RESTORE))
                .allSatisfy(seen -> assertThat(seen.thread()).isSameAs(Thread.currentThread()));
        assertThat(database.statistics().restores().failures()).isEqualTo(1);
    }

    private List<Seen> of(Kind kind) {
        return ended.stream().filter(seen -> seen.operation().kind() == kind).toList();
    }

    private Seen last(Kind kind) {
        List<Seen> all = of(kind);
        return all.get(all.size() - 1);
    }

    private final class Recorder implements LitestreamListener {

        @Override
        public void onEvent(LitestreamEvent event) {}

        @Override
        public End onBegin(LitestreamOperation operation) {
            Thread thread = Thread.currentThread();
            open.add(operation);
            return outcome -> {
                open.remove(operation);
                assertThat(Thread.currentThread()).isSameAs(thread);
                ended.add(new Seen(operation, thread, outcome));
            };
        }
    }

    private static final class Broken implements LitestreamListener {

        @Override
        public void onEvent(LitestreamEvent event) {}

        @Override
        public End onBegin(LitestreamOperation operation) {
            if (operation.kind() == Kind.SYNC) {
                throw new IllegalStateException("broken at the begin");
            }
            return outcome -> {
                throw new IllegalStateException("broken at the end");
            };
        }
    }
}
