package org.litestream4j.internal.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.internal.vfs.VfsFixture.execute;
import static org.litestream4j.internal.vfs.VfsFixture.open;
import static org.litestream4j.internal.vfs.VfsFixture.rows;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Threads, pools, URLs, and sorts that need temporary files. */
class VfsUseTest {

    @TempDir
    Path folder;

    private final States states = new States();

    private Connection primary(int rows) throws SQLException {
        Connection primary = VfsFixture.primary(folder.resolve("a.db"), rows);
        states.add(primary);
        return primary;
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 0", "1, 4", "2, 0"})
    void sortsThatSpill_equalTheFile(int tempStore, int threads) throws Exception {
        try (Connection primary = primary(60_000);
                Connection replica = open(VfsFixture.register(states.database()))) {
            for (Connection each : List.of(primary, replica)) {
                execute(each, "PRAGMA temp_store=" + tempStore, "PRAGMA cache_size=20", "PRAGMA threads=" + threads);
                execute(
                        each,
                        "CREATE TEMP TABLE s AS SELECT a, b FROM t WHERE a % 3 = 0",
                        "CREATE INDEX temp.si ON s(b)");
            }
            for (String query : new String[] {
                "SELECT a FROM t ORDER BY substr(b, -30), a DESC LIMIT 10 OFFSET 50000",
                "SELECT count(*) FROM (SELECT DISTINCT substr(b, 5) FROM t)",
                "SELECT sum(t.a * s.a) FROM t JOIN s ON t.b = s.b",
                "SELECT max(r) FROM (SELECT row_number() OVER (ORDER BY b DESC) * a AS r FROM t)",
            }) {
                assertThat(rows(replica, query)).as(query).isEqualTo(rows(primary, query));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "x.db, file:x.db",
        "/x.db, file:///x.db",
        "s3://bucket/x, file:s3://bucket/x",
        "with blank, file:with%20blank",
        "größe, file:größe",
        "plain, file:plain",
    })
    void names_arriveAsWritten(String name, String uri) throws Exception {
        try (Connection primary = primary(3)) {
            ReplicaVfs vfs = SharedVfs.get();
            ReplicaDatabase database = states.database();
            assertThat(vfs.add(name, database)).isTrue();
            try (Connection replica = open("jdbc:sqlite:" + uri + "?vfs=litestream&open_mode=1&own=5")) {
                assertThat(rows(replica, "SELECT count(*) FROM t")).isEqualTo("3");
            } finally {
                vfs.remove(name, database);
            }
            assertThat(primary.isClosed()).isFalse();
        }
    }

    @Test
    void secondVfsOfAName_takesItOverAndBothServe() throws Exception {
        primary(3).close();
        String name = "litestream-twice";
        ReplicaVfs first = ReplicaVfs.register(name, SharedVfs.api(), CheckedCalls.create(), new PageOne());
        try (Connection before = open(VfsFixture.register(first, name, states.database()))) {
            ReplicaVfs second = ReplicaVfs.register(name, SharedVfs.api(), CheckedCalls.create(), new PageOne());
            try (Connection after = open(VfsFixture.register(second, name, states.database()));
                    Connection old = new ReplicaDataSource(first, "first", states.database()).getConnection();
                    Connection own = new ReplicaDataSource(second, "second", states.database()).getConnection()) {
                for (Connection each : List.of(before, after, own)) {
                    assertThat(rows(each, "SELECT count(*) FROM t")).isEqualTo("3");
                }
                assertThat(rows(old, "SELECT count(*) FROM t")).isEqualTo("3");
            }
        }
    }

    @Test
    void readOnlyMode_isNeededForReadOnlyConnections() throws Exception {
        primary(3).close();
        try (Connection replica = open(VfsFixture.register(states.database()))) {
            replica.setReadOnly(true);
            assertThat(replica.isReadOnly()).isTrue();
        }
    }

    @Test
    void backupAndVacuumInto_copyTheState() throws Exception {
        primary(1000).close();
        try (Connection replica = open(VfsFixture.register(states.database()))) {
            execute(replica, "VACUUM INTO 'file:" + folder.resolve("copy.db") + "?vfs=unix'");
            execute(replica, "backup to " + folder.resolve("backup.db"));
        }
        for (String copy : new String[] {"copy.db", "backup.db"}) {
            try (Connection connection = open("jdbc:sqlite:" + folder.resolve(copy))) {
                assertThat(rows(connection, "PRAGMA integrity_check")).isEqualTo("ok");
                assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("1000");
            }
        }
        assertThat(Files.exists(Path.of("test-1"))).isFalse();
    }

    @Test
    void threads_readTogether() throws Exception {
        primary(2_000).close();
        run(100);
        assertThat(states.pinned).hasValue(0);
    }

    @Test
    @Tag("soak")
    void threads_readTogetherForLong() throws Exception {
        primary(2_000).close();
        run(40_000);
    }

    /** 16 threads, a quarter of which open a connection for each query. */
    private void run(int queries) throws Exception {
        String url = VfsFixture.register(states.database());
        Queue<Object> wrong = new ConcurrentLinkedQueue<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            boolean isOwn = i % 4 == 0;
            int first = i;
            Thread thread = new Thread(() -> {
                try (Connection shared = open(url)) {
                    for (int n = 0; n < queries; n++) {
                        int a = (first * 31 + n * 7) % 2_000 + 1;
                        String query = "SELECT a FROM t WHERE b LIKE 'row " + a + " %' OR a = " + a;
                        query = n % 10 == 0 ? query : "SELECT a FROM t WHERE a = " + a;
                        if (isOwn) {
                            try (Connection own = open(url)) {
                                check(own, query, a, wrong);
                            }
                        } else {
                            check(shared, query, a, wrong);
                        }
                    }
                } catch (SQLException e) {
                    wrong.add(e);
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(wrong).isEmpty();
    }

    private static void check(Connection connection, String query, int a, Queue<Object> wrong) throws SQLException {
        String result = rows(connection, query);
        if (!result.equals("" + a)) {
            wrong.add(result + " instead of " + a);
        }
    }

    @Test
    void pool_listsTables() throws Exception {
        primary(1).close();
        HikariConfig config = new HikariConfig();
        config.setDataSource(new ReplicaDataSource(SharedVfs.get(), "listed", states.database()));
        config.setReadOnly(true);
        config.setMaximumPoolSize(1);
        try (HikariDataSource pool = new HikariDataSource(config);
                Connection connection = pool.getConnection();
                ResultSet tables = connection.getMetaData().getTables(null, null, "t", null)) {
            assertThat(tables.next()).isTrue();
            assertThat(tables.getString("TABLE_NAME")).isEqualTo("t");
            assertThat(tables.getStatement()).isNull();
        }
    }

    @Test
    void pool_keepsReadOnlyConnections() throws Exception {
        try (Connection primary = primary(100)) {
            HikariConfig config = new HikariConfig();
            config.setDataSource(new ReplicaDataSource(SharedVfs.get(), "pooled", states.database()));
            config.setReadOnly(true);
            config.setMaximumPoolSize(4);
            try (HikariDataSource pool = new HikariDataSource(config)) {
                for (int i = 0; i < 50; i++) {
                    try (Connection connection = pool.getConnection()) {
                        assertThat(connection.isReadOnly()).isTrue();
                        assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("100");
                    }
                }
                execute(primary, "DELETE FROM t");
                states.add(primary);
                states.fault = offset -> {
                    throw new java.io.IOException("away");
                };
                try (Connection connection = pool.getConnection()) {
                    assertThatThrownBy(() -> rows(connection, "SELECT count(*) FROM t"))
                            .hasMessageContaining("away");
                }
                states.fault = offset -> {};
                try (Connection connection = pool.getConnection()) {
                    assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("0");
                }
            }
        }
        assertThat(states.pinned).hasValue(0);
    }
}
