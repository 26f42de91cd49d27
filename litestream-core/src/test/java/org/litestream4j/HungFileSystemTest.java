package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.Txid;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.FaultyFiles;
import org.litestream4j.testing.SqliteFixture;

/** Databases on a file system that does not answer, beside one on another. */
class HungFileSystemTest extends EngineFixture {

    @Test
    void otherDatabases_goOn_andTheHungOnesAreReported() throws Exception {
        create("CREATE TABLE t(x)");
        FaultyFiles files = new FaultyFiles(1);
        try (Litestream litestream = litestream()) {
            List<ManagedDatabase> hung = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                Path other = folder.resolve("hung-" + i + ".db");
                try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + other)) {
                    execute(connection, "CREATE TABLE t(x)");
                }
                DatabaseConfig config = config(files.path(other), folder.resolve("replica-" + i))
                        .metaPath(folder.resolve("meta-" + i))
                        .build();
                hung.add(litestream.register(config));
                hung.get(i).sync(TIMEOUT);
            }
            ManagedDatabase database = litestream.register(config().build());
            database.sync(TIMEOUT);
            files.hang();
            for (ManagedDatabase each : hung) { // more lanes that hang than the pool has threads
                Path real = folder.resolve(each.config().path().getFileName().toString());
                DataSource source = each.wrap(SqliteFixture.dataSource(real));
                try (Connection connection = source.getConnection()) {
                    execute(connection, "INSERT INTO t VALUES (1)");
                }
            }
            try (Connection foreign = plain()) {
                await().atMost(TIMEOUT).until(() -> hung.stream()
                        .allMatch(each -> String.valueOf(each.status().lastError())
                                .contains("the file system has not responded")));
                for (int i = 0; i < 5; i++) { // nobody tells of these commits: the watch must notice them
                    Txid before = database.status().replicated();
                    execute(foreign, "INSERT INTO t VALUES (" + i + ")");
                    await().atMost(TIMEOUT)
                            .until(() -> database.status().replicated().isAfter(before));
                }
                assertThat(database.status().lastError()).isNull();
            } finally {
                files.release();
            }
            await().atMost(TIMEOUT)
                    .until(() -> hung.stream().allMatch(each -> each.status().lastError() == null));
        }
        assertReplicaIsDatabase();
    }
}
