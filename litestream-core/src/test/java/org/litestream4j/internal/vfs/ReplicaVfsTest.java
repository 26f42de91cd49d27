package org.litestream4j.internal.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.internal.vfs.VfsFixture.execute;
import static org.litestream4j.internal.vfs.VfsFixture.open;
import static org.litestream4j.internal.vfs.VfsFixture.register;
import static org.litestream4j.internal.vfs.VfsFixture.rows;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a connection sees of a replica: states, transactions, functions and PRAGMAs. */
class ReplicaVfsTest {

    @TempDir
    Path folder;

    private final States states = new States();

    private String url = "";

    @BeforeEach
    void registers() throws Exception {
        url = register(states.database());
    }

    @Test
    void query_readsTheNewestState() throws Exception {
        try (Connection primary = VfsFixture.primary(folder.resolve("a.db"), 1000)) {
            states.add(primary);
            try (Connection replica = open(url)) {
                assertThat(rows(replica, "SELECT count(*), sum(a), max(b) FROM t"))
                        .isEqualTo(rows(primary, "SELECT count(*), sum(a), max(b) FROM t"));
                execute(primary, "DELETE FROM t WHERE a > 10");
                assertThat(rows(replica, "SELECT count(*) FROM t")).isEqualTo("1000");
                states.add(primary);
                assertThat(rows(replica, "SELECT count(*) FROM t")).isEqualTo("10");
                assertThat(rows(replica, "PRAGMA integrity_check")).isEqualTo("ok");
            }
            assertThat(states.pinned).hasValue(0);
        }
    }

    @Test
    void transaction_readsOneState() throws Exception {
        try (Connection primary = VfsFixture.primary(folder.resolve("a.db"), 100)) {
            states.add(primary);
            try (Connection replica = open(url)) {
                replica.setAutoCommit(false);
                assertThat(rows(replica, "SELECT count(*) FROM t")).isEqualTo("100");
                execute(primary, "DELETE FROM t WHERE a > 10");
                states.add(primary);
                assertThat(rows(replica, "SELECT count(*) FROM t")).isEqualTo("100");
                assertThat(rows(replica, "SELECT litestream_txid()")).isEqualTo("0000000000000001");
                replica.commit();
                assertThat(rows(replica, "SELECT count(*) FROM t")).isEqualTo("10");
                assertThat(rows(replica, "SELECT litestream_txid()")).isEqualTo("0000000000000002");
            }
        }
    }

    @Test
    void functionsAndPragmas_tellTheState() throws Exception {
        try (Connection primary = VfsFixture.primary(folder.resolve("a.db"), 100)) {
            states.add(primary);
            try (Connection replica = open(url)) {
                assertThat(rows(replica, "SELECT litestream_txid(), litestream_time(), litestream_lag()"))
                        .isEqualTo("0000000000000001|2026-01-01T00:00:01Z|3");
                assertThat(rows(replica, "PRAGMA litestream_txid")).isEqualTo("0000000000000001");
                assertThat(rows(replica, "PRAGMA main.litestream_time")).isEqualTo("2026-01-01T00:00:01Z");
                assertThat(rows(replica, "PRAGMA litestream_lag")).isEqualTo("3");
            }
        }
    }

    @Test
    void setTime_selectsAMoment() throws Exception {
        try (Connection primary = VfsFixture.primary(folder.resolve("a.db"), 100)) {
            states.add(primary);
            execute(primary, "ALTER TABLE t ADD COLUMN c DEFAULT 7", "CREATE TABLE u(x)", "DELETE FROM t WHERE a > 10");
            states.add(primary);
            try (Connection replica = open(url);
                    Connection other = open(url)) {
                assertThat(rows(replica, "SELECT count(*), sum(c) FROM t")).isEqualTo("10|70");
                assertThat(rows(replica, "SELECT litestream_set_time('2026-01-01T00:00:01.5Z')"))
                        .isEqualTo("2026-01-01T00:00:01Z");
                assertThat(rows(replica, "SELECT count(*) FROM t")).isEqualTo("100");
                assertThatThrownBy(() -> rows(replica, "SELECT c FROM t")).hasMessageContaining("no such column");
                assertThat(rows(replica, "PRAGMA integrity_check")).isEqualTo("ok");
                assertThat(rows(other, "SELECT count(*) FROM t")).isEqualTo("10");
                assertThat(rows(replica, "PRAGMA litestream_time = 'latest'")).isEqualTo("2026-01-01T00:00:02Z");
                assertThat(rows(replica, "SELECT count(*), sum(c) FROM t")).isEqualTo("10|70");
                assertThat(rows(replica, "SELECT litestream_set_time('1 minute ago')"))
                        .isEqualTo("2026-01-01T00:00:02Z");
            }
        }
    }

    @Test
    void setTime_returnsToTheDefault() throws Exception {
        states.add(image("a.db", "CREATE TABLE t(v)"));
        states.add(image("b.db", "CREATE TABLE t(v)"));
        try (Connection replica = open(register(new ReplicaDatabase(states.state(0), states)))) {
            assertThat(rows(replica, "SELECT litestream_set_time('LATEST')")).isEqualTo("2026-01-01T00:00:02Z");
            assertThat(rows(replica, "SELECT litestream_set_time('DEFAULT')")).isEqualTo("2026-01-01T00:00:01Z");
            assertThat(rows(replica, "SELECT litestream_txid()")).isEqualTo("0000000000000001");
            assertThat(rows(replica, "PRAGMA litestream_time = 'latest'")).isEqualTo("2026-01-01T00:00:02Z");
            assertThat(rows(replica, "PRAGMA litestream_time = 'default'")).isEqualTo("2026-01-01T00:00:01Z");
        }
    }

    @Test
    void schemaVersion_isThatOfThePrimary() throws Exception {
        try (Connection primary = VfsFixture.primary(folder.resolve("a.db"), 10)) {
            states.add(primary);
            try (Connection replica = open(url)) {
                rows(replica, "SELECT count(*) FROM t");
                assertThat(rows(replica, "PRAGMA schema_version")).isEqualTo(rows(primary, "PRAGMA schema_version"));
            }
        }
    }

    @Test
    void functionsOfATransaction_tellTheStateThatItReadsLater() throws Exception {
        states.add(image("a.db", "CREATE TABLE t(v)"));
        try (Connection replica = open(url)) {
            replica.setAutoCommit(false);
            assertThatThrownBy(() -> rows(replica, "PRAGMA litestream_txid"))
                    .hasMessageContaining("has read nothing of the replica yet");
            assertThat(rows(replica, "SELECT litestream_txid()")).isEqualTo("0000000000000001");
            states.add(image("b.db", "CREATE TABLE t(v)", "INSERT INTO t VALUES (1)"));
            assertThat(rows(replica, "SELECT count(*), litestream_txid() FROM t"))
                    .isEqualTo("0|0000000000000001");
            assertThat(rows(replica, "PRAGMA litestream_txid")).isEqualTo("0000000000000001");
            replica.commit();
            assertThat(states.pinned).hasValue(0);
            assertThat(rows(replica, "SELECT litestream_txid()")).isEqualTo("0000000000000002");
            replica.rollback();
            assertThat(states.pinned).hasValue(0);
            states.pinFault = offset -> {
                throw new java.io.IOException("the read replica is closed");
            };
            assertThatThrownBy(() -> rows(replica, "SELECT litestream_txid()"))
                    .hasMessageContaining("SQLITE_BUSY")
                    .hasMessageContaining("the transaction cannot read the replica");
            assertThat(LastFailure.take()).hasMessageContaining("is closed");
        }
    }

    @Test
    void functionsOfAnAttachedReplica_needARead() throws Exception {
        states.add(image("a.db", "CREATE TABLE t(v)"));
        try (Connection local = open("jdbc:sqlite::memory:")) {
            execute(
                    local,
                    "ATTACH '" + url.substring("jdbc:sqlite:".length(), url.indexOf("&open_mode")) + "&mode=ro' AS r");
            local.setAutoCommit(false);
            assertThatThrownBy(() -> rows(local, "SELECT litestream_txid()"))
                    .hasMessageContaining("read a table of the replica first");
            assertThat(rows(local, "SELECT count(*) FROM r.t")).isEqualTo("0");
            assertThat(rows(local, "SELECT litestream_txid()")).isEqualTo("0000000000000001");
        }
    }

    @Test
    void setTime_refusesWhatItCannotDo() throws Exception {
        try (Connection primary = VfsFixture.primary(folder.resolve("a.db"), 100)) {
            states.add(primary);
            try (Connection replica = open(url)) {
                assertThatThrownBy(() -> rows(replica, "SELECT litestream_set_time('yesterday')"))
                        .hasMessageContaining("not a point in time")
                        .hasMessageContaining("LATEST");
                assertThatThrownBy(() -> rows(replica, "SELECT litestream_set_time('2020-01-01T00:00:00Z')"))
                        .hasMessageContaining("does not reach back to 2020");
                assertThatThrownBy(() -> rows(replica, "PRAGMA litestream_time = '2020-01-01T00:00:00Z'"))
                        .hasMessageContaining("does not reach back to 2020");
                assertThatThrownBy(() -> rows(replica, "SELECT litestream_set_time('latest') FROM t"))
                        .hasMessageContaining("within a transaction");
                assertThat(rows(replica, "SELECT count(*) FROM t")).isEqualTo("100");
            }
        }
    }

    @Test
    void attachedReplica_joinsWithALocalDatabase() throws Exception {
        try (Connection primary = VfsFixture.primary(folder.resolve("a.db"), 100);
                Connection local = open("jdbc:sqlite:" + folder.resolve("local.db"))) {
            states.add(primary);
            execute(local, "CREATE TABLE l(a)", "INSERT INTO l VALUES (3), (300)");
            String name = url.substring("jdbc:sqlite:".length(), url.indexOf("&open_mode"));
            execute(local, "ATTACH '" + name + "&mode=ro' AS r");
            assertThat(rows(local, "SELECT l.a, t.a FROM l LEFT JOIN r.t USING (a)"))
                    .isEqualTo("3|3\n300|null");
            assertThat(rows(local, "SELECT litestream_txid()")).isEqualTo("0000000000000001");
            assertThat(rows(local, "PRAGMA r.litestream_txid")).isEqualTo("0000000000000001");
            execute(local, "INSERT INTO l SELECT a FROM r.t");
            assertThat(rows(local, "SELECT count(*) FROM l")).isEqualTo("102");
            assertThatThrownBy(() -> execute(local, "DELETE FROM r.t")).hasMessageContaining("readonly");
            execute(local, "DETACH r");
            assertThatThrownBy(() -> rows(local, "SELECT litestream_txid()")).hasMessageContaining("reads no replica");
            assertThat(states.pinned).hasValue(0);
        }
    }

    @Test
    void severalReplicas_attachToOneConnection() throws Exception {
        try (Connection primary = VfsFixture.primary(folder.resolve("a.db"), 100)) {
            states.add(primary);
            States others = new States();
            others.add(image("b.db", "CREATE TABLE o(v)", "INSERT INTO o VALUES (5)"));
            others.add(image("c.db", "CREATE TABLE o(v)", "INSERT INTO o VALUES (6)"));
            String uri = register(others.database()).substring("jdbc:sqlite:".length());
            try (Connection replica = open(url)) {
                for (int i = 0; i < 3; i++) {
                    execute(replica, "ATTACH '" + uri + "' AS o");
                    assertThat(rows(replica, "SELECT (SELECT count(*) FROM t), v FROM o.o"))
                            .isEqualTo("100|6");
                    assertThat(rows(replica, "SELECT litestream_txid()")).isEqualTo("0000000000000001");
                    assertThat(rows(replica, "PRAGMA o.litestream_txid")).isEqualTo("0000000000000002");
                    assertThat(rows(replica, "PRAGMA o.litestream_time = '2026-01-01T00:00:01Z'"))
                            .isEqualTo("2026-01-01T00:00:01Z");
                    assertThat(rows(replica, "SELECT v FROM o.o")).isEqualTo("5");
                    execute(replica, "DETACH o");
                }
            }
            assertThat(others.pinned).hasValue(0);
        }
    }

    @Test
    void newReplicaWithTheSameSchemaCookie_isReadByItsOwnSchema() throws Exception {
        byte[] first = image("one.db", "CREATE TABLE x(v)", "INSERT INTO x VALUES (1)", "CREATE TABLE y(v)");
        byte[] second = image("two.db", "CREATE TABLE y(v)", "INSERT INTO y VALUES (2)", "CREATE TABLE x(v)");
        assertThat(java.util.Arrays.copyOfRange(first, 40, 44)).isEqualTo(java.util.Arrays.copyOfRange(second, 40, 44));
        states.add(first, new org.litestream4j.ltx.Txid(7));
        try (Connection replica = open(url);
                var prepared = replica.prepareStatement("SELECT sum(v) FROM x")) {
            assertThat(rows(replica, "SELECT (SELECT sum(v) FROM x), (SELECT sum(v) FROM y)"))
                    .isEqualTo("1|null");
            prepared.executeQuery().close();
            states.add(second, new org.litestream4j.ltx.Txid(7));
            assertThat(rows(replica, "SELECT (SELECT sum(v) FROM x), (SELECT sum(v) FROM y)"))
                    .isEqualTo("null|2");
            try (var row = prepared.executeQuery()) {
                assertThat(row.getString(1)).isNull();
            }
        }
    }

    private byte[] image(String name, String... statements) throws SQLException {
        try (Connection connection = open("jdbc:sqlite:" + folder.resolve(name))) {
            execute(connection, statements);
            return States.image(connection);
        }
    }

    @Test
    void pageSizeOfTheNextState_mayDiffer() throws Exception {
        try (Connection replica =
                replicaOf(image("4.db", "CREATE TABLE t(v)", "INSERT INTO t VALUES (zeroblob(9000))"))) {
            for (int pageSize : new int[] {512, 65_536, 1024, 16_384, 4096}) {
                states.add(image(
                        pageSize + ".db",
                        "PRAGMA page_size=" + pageSize,
                        "CREATE TABLE t(v)",
                        "INSERT INTO t VALUES (zeroblob(" + 2 * pageSize + "))"));
                assertThat(rows(replica, "SELECT length(v) FROM t")).isEqualTo("" + 2 * pageSize);
                assertThat(rows(replica, "PRAGMA page_size")).isEqualTo("" + pageSize);
            }
        }
    }

    private Connection replicaOf(byte[] image) throws SQLException {
        states.add(image);
        return open(url);
    }

    @Test
    void writes_areRefused() throws Exception {
        try (Connection replica = replicaOf(image("a.db", "CREATE TABLE t(v)"))) {
            assertThat(replica.isReadOnly()).isTrue();
            for (String sql : new String[] {"INSERT INTO t VALUES (1)", "DROP TABLE t", "PRAGMA user_version=3"}) {
                assertThatThrownBy(() -> execute(replica, sql)).hasMessageContaining("readonly");
            }
            assertThat(rows(replica, "SELECT count(*) FROM t")).isEqualTo("0");
        }
    }

    @Test
    void exclusiveLocking_isRefused() throws Exception {
        try (Connection replica = replicaOf(image("a.db", "CREATE TABLE t(v)"))) {
            assertThatThrownBy(() -> rows(replica, "PRAGMA locking_mode=EXCLUSIVE"))
                    .hasMessageContaining("one state of the replica for ever");
            assertThat(rows(replica, "PRAGMA locking_mode")).isEqualTo("normal");
        }
    }

    @Test
    void sameState_keepsCachedPagesAndSchema() throws Exception {
        try (Connection primary = VfsFixture.primary(folder.resolve("a.db"), 1000);
                Connection replica = replicaOf(States.image(primary))) {
            rows(replica, "SELECT count(*) FROM t");
            long before = states.reads.get();
            rows(replica, "SELECT count(*) FROM t");
            assertThat(states.reads.get()).isEqualTo(before);
        }
    }

    @Test
    void dataVersion_changesWithTheState() throws Exception {
        byte[] image = image("a.db", "CREATE TABLE t(v)");
        try (Connection replica = replicaOf(image)) {
            String before = rows(replica, "PRAGMA data_version");
            assertThat(rows(replica, "PRAGMA data_version")).isEqualTo(before);
            states.add(image);
            assertThat(rows(replica, "PRAGMA data_version")).isNotEqualTo(before);
            assertThat(rows(replica, "SELECT name FROM sqlite_schema")).isEqualTo("t");
        }
    }

    @Test
    void cancel_endsAQuery() throws Exception {
        try (Connection replica = replicaOf(image("a.db", "CREATE TABLE t(v)", "INSERT INTO t VALUES (1), (2)"));
                Statement statement = replica.createStatement()) {
            states.fault = offset -> {
                try {
                    statement.cancel();
                } catch (SQLException e) {
                    throw new java.io.IOException(e);
                }
            };
            assertThatThrownBy(() -> statement.executeQuery(
                            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
                                    + " SELECT sum(i) FROM n, t"))
                    .hasMessageContaining("INTERRUPT");
            states.fault = offset -> {};
            assertThat(rows(replica, "SELECT count(*) FROM t")).isEqualTo("2");
        }
    }
}
