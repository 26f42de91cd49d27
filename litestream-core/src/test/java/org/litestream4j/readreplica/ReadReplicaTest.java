package org.litestream4j.readreplica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.internal.vfs.VfsFixture.execute;
import static org.litestream4j.internal.vfs.VfsFixture.primary;
import static org.litestream4j.internal.vfs.VfsFixture.rows;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.internal.pages.PageSource;
import org.litestream4j.internal.pages.ReplicaUnavailableException;
import org.litestream4j.internal.pages.StaleReplicaException;
import org.litestream4j.internal.vfs.SharedVfs;
import org.litestream4j.internal.vfs.States;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreTarget;
import org.sqlite.SQLiteConnection;
import org.sqlite.SQLiteException;

/** The API over states in memory. */
class ReadReplicaTest {

    @TempDir
    Path folder;

    private final States states = new States();

    private ReadReplica open(String name) throws Exception {
        return ReadReplica.open(new ReadReplicaName(name, false), new MemoryPages(states), SharedVfs.get());
    }

    @Test
    void dataSources_readTheNewestStateAndMoments() throws Exception {
        try (Connection primary = primary(folder.resolve("a.db"), 100)) {
            states.add(primary);
            execute(primary, "DELETE FROM t WHERE a > 10");
            states.add(primary);
            try (ReadReplica replica = open("moments");
                    Connection now = replica.dataSource().getConnection();
                    Connection then =
                            replica.asOf(Instant.parse("2026-01-01T00:00:01Z")).getConnection();
                    Connection first = replica.asOf(new Txid(1)).getConnection()) {
                execute(primary, "DELETE FROM t");
                states.add(primary);
                replica.awaitTxid(new Txid(3), Duration.ofSeconds(5));
                assertThat(rows(now, "SELECT count(*) FROM t")).isEqualTo("0");
                assertThat(rows(then, "SELECT count(*) FROM t")).isEqualTo("100");
                assertThat(rows(first, "SELECT count(*), litestream_txid() FROM t"))
                        .startsWith("100|");
                assertThat(now.isReadOnly()).isTrue();
                assertThat(now.unwrap(SQLiteConnection.class)).isNotNull();
                assertThat(replica.status().txid()).isEqualTo(new Txid(3));
            }
        }
    }

    @Test
    void name_opensByJdbcUrlWhileTheReplicaIsOpen() throws Exception {
        try (Connection primary = primary(folder.resolve("a.db"), 100)) {
            states.add(primary);
        }
        String url;
        try (ReadReplica replica = open("by-name");
                ReadReplica second = open("by-name")) {
            assertThat(replica.name()).isEqualTo("by-name");
            assertThat(second.name()).isEqualTo("by-name-2");
            url = "jdbc:sqlite:file:" + replica.name() + "?vfs=litestream&open_mode=1";
            try (Connection connection = org.litestream4j.internal.vfs.VfsFixture.open(url)) {
                assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("100");
            }
        }
        assertThatThrownBy(() -> org.litestream4j.internal.vfs.VfsFixture.open(url))
                .hasMessageContaining("CANTOPEN");
        try (ReadReplica again = open("by-name")) {
            assertThat(again.name()).isEqualTo("by-name");
            assertThatThrownBy(() -> ReadReplica.open(
                            new ReadReplicaName("by-name", true), new MemoryPages(states), SharedVfs.get()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("by-name");
        }
    }

    @Test
    void close_again_leavesTheNameToAnotherReplica() throws Exception {
        try (Connection primary = primary(folder.resolve("a.db"), 100)) {
            states.add(primary);
        }
        ReadReplica first = open("closed-twice");
        first.close();
        try (ReadReplica second = open("closed-twice")) {
            assertThat(second.name()).isEqualTo("closed-twice");
            first.close();
            String url = "jdbc:sqlite:file:closed-twice?vfs=litestream&open_mode=1";
            try (Connection connection = org.litestream4j.internal.vfs.VfsFixture.open(url)) {
                assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("100");
            }
        }
    }

    @Test
    void outage_isBusyAndKeepsTheTransaction() throws Exception {
        try (Connection primary = primary(folder.resolve("a.db"), 3000)) {
            states.add(primary);
        }
        try (ReadReplica replica = open("outage");
                Connection connection = replica.dataSource().getConnection()) {
            execute(connection, "PRAGMA cache_size=10");
            connection.setAutoCommit(false);
            assertThat(rows(connection, "SELECT b FROM t WHERE a = 1")).startsWith("row 1");
            states.fault = offset -> {
                throw new ReplicaUnavailableException("s3://bucket/app did not answer within 10 s", null);
            };
            assertThatThrownBy(() -> rows(connection, "SELECT sum(length(b)) FROM t"))
                    .isInstanceOfSatisfying(SQLiteException.class, e -> {
                        assertThat(e.getResultCode()).isEqualTo(org.sqlite.SQLiteErrorCode.SQLITE_BUSY);
                        assertThat(e.getMessage())
                                .isEqualTo("[SQLITE_BUSY] s3://bucket/app did not answer within 10 s");
                        assertThat(e.getCause()).isInstanceOf(ReplicaUnavailableException.class);
                    });
            states.fault = offset -> {};
            try (Connection primary =
                    org.litestream4j.internal.vfs.VfsFixture.open("jdbc:sqlite:" + folder.resolve("a.db"))) {
                execute(primary, "DELETE FROM t");
                states.add(primary);
            }
            assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("3000");
            connection.commit();
            assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("0");
        }
        assertThat(states.pinned).hasValue(0);
    }

    @Test
    void outage_isReportedAtOnce() throws Exception {
        try (Connection primary = primary(folder.resolve("a.db"), 10)) {
            states.add(primary);
        }
        AtomicInteger attempts = new AtomicInteger();
        try (ReadReplica replica = open("once");
                Connection connection = replica.dataSource().getConnection()) {
            states.fault = offset -> {
                attempts.incrementAndGet();
                throw new ReplicaUnavailableException("s3://bucket/app did not answer within 10 s", null);
            };
            assertThatThrownBy(() -> rows(connection, "SELECT count(*) FROM t"))
                    .hasMessage("[SQLITE_BUSY] s3://bucket/app did not answer within 10 s");
            assertThat(attempts).hasValue(1);
        }
    }

    @Test
    void outageThatIsOver_doesNotExplainALaterError() throws Exception {
        try (Connection primary = primary(folder.resolve("a.db"), 10)) {
            states.add(primary);
        }
        AtomicInteger attempts = new AtomicInteger();
        try (ReadReplica replica = open("over");
                Connection connection = replica.dataSource().getConnection()) {
            execute(connection, "PRAGMA busy_timeout=10000");
            states.fault = offset -> {
                if (attempts.incrementAndGet() == 1) {
                    throw new ReplicaUnavailableException("s3://bucket/app did not answer within 10 s", null);
                }
            };
            assertThatThrownBy(() -> rows(connection, "SELECT * FROM missing"))
                    .hasMessageContaining("no such table")
                    .hasNoCause();
            assertThat(attempts).hasValueGreaterThan(1);
        }
    }

    @Test
    void damage_isAnErrorThatNamesIt() throws Exception {
        try (Connection primary = primary(folder.resolve("a.db"), 3000)) {
            states.add(primary);
        }
        try (ReadReplica replica = open("damage");
                Connection connection = replica.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT b FROM t")) {
            states.fault = offset -> {
                throw new IOException("ltx/0/0000000000000001-0000000000000001.ltx: page 7: checksum mismatch");
            };
            assertThatThrownBy(() -> {
                        while (row.next()) {
                            assertThat(row.getString(1)).startsWith("row");
                        }
                    })
                    .isInstanceOf(SQLException.class)
                    .hasMessage("[SQLITE_IOERR_READ] ltx/0/0000000000000001-0000000000000001.ltx: page 7: checksum"
                            + " mismatch")
                    .hasRootCauseInstanceOf(IOException.class);
            states.fault = offset -> {};
            assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("3000");
        }
    }

    @Test
    void staleState_isAnErrorThatSaysSo() throws Exception {
        try (Connection primary = primary(folder.resolve("a.db"), 10)) {
            states.add(primary);
        }
        try (ReadReplica replica = open("stale");
                Connection connection = replica.dataSource().getConnection()) {
            execute(connection, "PRAGMA busy_timeout=10");
            states.pinFault = offset -> {
                throw new StaleReplicaException("the newest known state is 12 s old, more than 10 s");
            };
            assertThatThrownBy(() -> rows(connection, "SELECT count(*) FROM t"))
                    .hasMessage("[SQLITE_BUSY] the newest known state is 12 s old, more than 10 s")
                    .hasCauseInstanceOf(StaleReplicaException.class);
            states.pinFault = offset -> {};
            assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("10");
        }
    }

    @Test
    void openingFailure_tellsTheCause() throws Exception {
        try (Connection primary = primary(folder.resolve("a.db"), 10)) {
            states.add(primary);
        }
        try (ReadReplica replica = open("opening")) {
            states.pinFault = offset -> {
                throw new IOException("the read replica is closed");
            };
            assertThatThrownBy(() -> replica.dataSource().getConnection().close())
                    .hasMessageContaining("is closed");
        }
    }

    @Test
    void wrappers_leadToEachOther() throws Exception {
        try (Connection primary = primary(folder.resolve("a.db"), 10)) {
            states.add(primary);
        }
        try (ReadReplica replica = open("wrappers");
                Connection connection = replica.dataSource().getConnection();
                PreparedStatement statement = connection.prepareStatement("SELECT a FROM t WHERE a = ?")) {
            statement.setInt(1, 7);
            try (ResultSet row = statement.executeQuery()) {
                assertThat(row.next()).isTrue();
                assertThat(row.getInt(1)).isEqualTo(7);
                assertThat(row.getStatement()).isSameAs(statement);
                assertThat(statement.getConnection()).isSameAs(connection);
                assertThat(connection.getMetaData().getConnection()).isSameAs(connection);
            }
            assertThat(java.util.List.of(connection)).contains(statement.getConnection());
            assertThat(connection).isNotEqualTo(statement);
            assertThat(connection.isWrapperFor(SQLiteConnection.class)).isTrue();
            try (ResultSet tables = connection.getMetaData().getTables(null, null, "t", null)) {
                assertThat(tables.next()).isTrue();
            }
        }
    }

    @Test
    void await_endsWithTheTimeout() throws Exception {
        try (Connection primary = primary(folder.resolve("a.db"), 10)) {
            states.add(primary);
        }
        try (ReadReplica replica = open("await")) {
            assertThatThrownBy(() -> replica.awaitTxid(new Txid(9), Duration.ofMillis(1)))
                    .isInstanceOfSatisfying(ReadReplicaTimeoutException.class, e -> {
                        assertThat(e.awaited()).isEqualTo(new Txid(9));
                        assertThat(e.reached()).isEqualTo(new Txid(1));
                    });
        }
    }

    /** States in memory, as the pages of a replica. */
    private record MemoryPages(States states) implements OnDemandPages {

        @Override
        public PageSource newest() {
            return states;
        }

        @Override
        public PageSource asOf(RestoreTarget target) throws IOException {
            return target instanceof RestoreTarget.AtTxid at
                    ? states.state((int) at.txid().value() - 1)
                    : states.at(((RestoreTarget.AtTimestamp) target).timestamp());
        }

        @Override
        public boolean awaitTxid(Txid txid, Duration timeout) {
            return !states.latest().txid().isBefore(txid);
        }

        @Override
        public ReadReplicaStatus status(String name) {
            return new ReadReplicaStatus(
                    name,
                    "memory:",
                    states.latest().txid(),
                    states.latest().timestamp(),
                    states.latest().lag(),
                    null,
                    0,
                    0,
                    0,
                    0,
                    0,
                    ReadReplicaStatus.Hydration.OFF,
                    0,
                    null);
        }

        @Override
        public void close() {}
    }
}
