package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.IntegrityCheck;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreResult;
import org.litestream4j.testing.SqliteFixture;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/** What was replicated comes back with exactly the same pages. */
class RoundTripTest {

    private static final Duration TIMEOUT = Duration.ofMinutes(2);

    @TempDir
    Path folder;

    private Path path;
    private DatabaseConfig config;

    @BeforeEach
    void configure() {
        path = folder.resolve("app.db");
        config = DatabaseConfig.builder(
                        path,
                        ReplicaLocation.of(folder.resolve("replica").toUri().toString()))
                .build();
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 1024, 4096, 8192, 65536})
    void everyPageSize_shrinkAndGrowth_comeBack(int pageSize) throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection = database.wrap(withPageSize(pageSize)).getConnection()) {
                assertThat(query(connection, "pragma page_size")).isEqualTo(pageSize);
                execute(connection, "create table t(id integer primary key, x)", "create index i on t(x)");
                insert(connection, 200);
                database.sync(TIMEOUT);
                execute(connection, "delete from t where id > 20", "vacuum");
                database.sync(TIMEOUT);
                long small = query(connection, "pragma page_count");
                insert(connection, 300);
                database.sync(TIMEOUT);
                assertThat(query(connection, "pragma page_count")).isGreaterThan(small);
            }
        }
        assertComesBack();
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "2, 100"})
    void autoVacuum_comesBack(int mode, int pages) throws Exception {
        SQLiteDataSource source = withPageSize(4096);
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection raw = source.getConnection()) {
                execute(raw, "pragma auto_vacuum=" + mode, "create table first(x)");
            }
            try (Connection connection = database.wrap(source).getConnection()) {
                assertThat(query(connection, "pragma auto_vacuum")).isEqualTo(mode);
                execute(connection, "create table t(id integer primary key, x)");
                insert(connection, 300);
                database.sync(TIMEOUT);
                execute(connection, "delete from t where id % 3 <> 0", "pragma incremental_vacuum(" + pages + ")");
                database.sync(TIMEOUT);
                insert(connection, 50);
                database.sync(TIMEOUT);
            }
        }
        assertComesBack();
    }

    @Test
    void databaseWithoutTables_comesBack() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                database.sync(TIMEOUT);
                assertThat(query(connection, "pragma page_count")).isLessThanOrEqualTo(1);
            }
        }
        assertComesBack();
    }

    @Test
    void existingDatabaseInRollbackMode_isSwitchedAndComesBack() throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path)) {
            execute(connection, "create table t(id integer primary key, x)");
            insert(connection, 100);
        }
        try (Litestream litestream = Litestream.builder().build()) {
            litestream.register(config).sync(TIMEOUT);
        }
        assertComesBack();
    }

    @Test
    @Tag("slow")
    void databaseAcrossTheLockPage_comesBack() throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path)) {
            execute(connection, "pragma synchronous=off", "create table t(id integer primary key, x)");
            connection.setAutoCommit(false);
            for (int i = 0; i < 1_126; i++) {
                execute(connection, "insert into t(x) values (zeroblob(1048576))"); // 1.1 GiB in all
            }
            connection.commit();
        }
        assertThat(Files.size(path)).isGreaterThan(1L << 30);
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                database.sync(TIMEOUT);
                insert(connection, 100);
                database.sync(TIMEOUT);
            }
        }
        assertComesBack();
    }

    private static void insert(Connection connection, int rows) throws Exception {
        execute(connection, "begin");
        for (int i = 0; i < rows; i++) {
            execute(connection, "insert into t(x) values (randomblob(" + (i * 37 % 3000) + "))");
        }
        execute(connection, "commit");
    }

    private SQLiteDataSource withPageSize(int pageSize) {
        SQLiteConfig options = new SQLiteConfig();
        options.setPageSize(pageSize);
        SQLiteDataSource source = new SQLiteDataSource(options);
        source.setUrl("jdbc:sqlite:" + path);
        return source;
    }

    private void assertComesBack() throws Exception {
        Path restored = folder.resolve("restored.db");
        try (ReplicaClient client = Replicas.open(config.replica())) {
            RestoreResult result = Restore.restore(
                    client,
                    restored,
                    RestoreOptions.builder().integrityCheck(IntegrityCheck.FULL).build());
            assertThat(Files.size(restored)).isEqualTo(result.pages() * result.pageSize());
        }
        // closing has brought the WAL into the file
        assertThat(folder.resolve("app.db-wal")).doesNotExist();
        assertThat(Files.mismatch(restored, path)).isEqualTo(-1);
    }
}
