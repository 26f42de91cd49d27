package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.Files;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.litestream4j.LitestreamEvent.Healed;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.SqliteFixture;

/** The folder of the local state is deleted while the engine runs. */
class LocalStateDeletedTest extends EngineFixture {

    private final List<Healed> healed = new CopyOnWriteArrayList<>();

    private Litestream listening() {
        return Litestream.builder()
                .watchInterval(Duration.ofMillis(50))
                .listener(event -> {
                    if (event instanceof Healed each) {
                        healed.add(each);
                    }
                })
                .build();
    }

    private void deleteLocalState() throws Exception {
        while (Files.exists(metaPath())) {
            try {
                SqliteFixture.deleteTree(metaPath());
            } catch (java.nio.file.DirectoryNotEmptyException | java.nio.file.NoSuchFileException e) {
                // the engine makes it anew already
                return;
            }
        }
    }

    @Test
    void idleDatabase_notices_andBeginsAnewWithAnImage() throws Exception {
        try (Litestream litestream = listening()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                execute(connection, "CREATE TABLE t(x)", "INSERT INTO t VALUES (1)");
                database.sync(TIMEOUT);
                deleteLocalState();
                await().atMost(TIMEOUT).until(() -> !healed.isEmpty()); // nobody commits
                assertThat(healed.get(0).problem())
                        .contains(metaPath().toString())
                        .contains("deleted");
                await().atMost(TIMEOUT).until(() -> Files.exists(metaPath().resolve("lock")));
                execute(connection, "INSERT INTO t VALUES (2)");
                database.sync(TIMEOUT);
                assertThat(database.status().lastError()).isNull();
                assertReplicated(database, connection);
            }
        }
        assertReplicaIsDatabase();
    }

    @Test
    void capturedFilesThatWereNotUploaded_areReplacedByAnImage() throws Exception {
        try (Litestream litestream = listening()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                execute(connection, "CREATE TABLE t(x)", "INSERT INTO t VALUES (1)");
                database.sync(TIMEOUT);
                replicaGoes();
                for (int i = 0; i < 5; i++) {
                    var before = database.status().captured();
                    execute(connection, "INSERT INTO t VALUES (" + i + ")");
                    await().atMost(TIMEOUT)
                            .until(() -> database.status().captured().isAfter(before));
                }
                deleteLocalState();
                execute(connection, "INSERT INTO t VALUES (6)");
                replicaReturns();
                database.awaitReplicated(TIMEOUT);
                assertReplicated(database, connection);
                assertThat(healed).isNotEmpty(); // a deletion file by file may be noticed twice
                assertThat(database.status().state()).isEqualTo(DatabaseState.REPLICATING);
            }
        }
        assertReplicaIsDatabase();
    }
}
