package org.litestream4j.internal.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.internal.vfs.VfsFixture.rows;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Transactions that SQLite rolls back because of an error of reading. */
class DriverTransactionTest {

    private static final String QUERY = "SELECT count(*), sum(length(b)) FROM t";

    @TempDir
    Path folder;

    private final States states = new States();

    @BeforeEach
    void adds() throws Exception {
        add("a.db", 3000);
    }

    private void add(String file, int rows) throws SQLException {
        try (Connection primary = VfsFixture.primary(folder.resolve(file), rows)) {
            states.add(primary);
        }
    }

    private DataSource source(String name) throws Exception {
        return new ReplicaDataSource(SharedVfs.get(), name, states.database());
    }

    /** Reads in a transaction until an error ends it, after which the replica has another state. */
    private void fail(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        assertThat(rows(connection, "SELECT b FROM t WHERE a = 1")).startsWith("row 1");
        states.fault = offset -> {
            throw new IOException("page 7: checksum mismatch");
        };
        assertThatThrownBy(() -> rows(connection, QUERY)).hasMessageContaining("[SQLITE_IOERR_READ] page 7");
        states.fault = offset -> {};
        add("b.db", 5);
    }

    @Test
    void statements_failUntilTheRollback() throws Exception {
        try (Connection connection = source("statements").getConnection();
                PreparedStatement prepared = connection.prepareStatement(QUERY)) {
            fail(connection);
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> rows(connection, QUERY))
                        .hasMessageContaining("rolled back")
                        .hasMessageContaining("call rollback()")
                        .hasMessageContaining("page 7: checksum mismatch");
                assertThatThrownBy(prepared::executeQuery).hasMessageContaining("call rollback()");
                assertThatThrownBy(() -> connection.getMetaData().getTables(null, null, "t", null))
                        .hasMessageContaining("call rollback()");
                connection.setAutoCommit(false);
            }
            connection.rollback();
            assertThat(connection.getAutoCommit()).isFalse();
            assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("5");
            add("c.db", 6);
            assertThat(rows(connection, "SELECT count(*) FROM t"))
                    .as("a transaction has begun")
                    .isEqualTo("5");
            connection.commit();
            assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("6");
        }
        assertThat(states.pinned).hasValue(0);
    }

    @Test
    void failingFunction_endsTheTransactionToo() throws Exception {
        try (Connection connection = source("function").getConnection()) {
            connection.setAutoCommit(false);
            states.pinFault = offset -> {
                throw new IOException("page 7: checksum mismatch");
            };
            assertThatThrownBy(() -> rows(connection, "SELECT litestream_txid()"))
                    .hasMessage("[SQLITE_IOERR] page 7: checksum mismatch");
            states.pinFault = offset -> {};
            assertThatThrownBy(() -> rows(connection, QUERY)).hasMessageContaining("call rollback()");
            connection.rollback();
            assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("3000");
        }
    }

    @Test
    void commit_failsAndBeginsAnew() throws Exception {
        try (Connection connection = source("commit").getConnection()) {
            fail(connection);
            assertThatThrownBy(connection::commit).hasMessageContaining("rolled back");
            assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("5");
            connection.commit();
        }
    }

    @Test
    void autoCommit_endsTheTransaction() throws Exception {
        try (Connection connection = source("auto-commit").getConnection()) {
            fail(connection);
            connection.setAutoCommit(true);
            assertThat(connection.getAutoCommit()).isTrue();
            assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("5");
            add("c.db", 6);
            assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("6");
        }
    }

    @Test
    void pool_getsBackASoundConnection() throws Exception {
        HikariConfig config = new HikariConfig();
        config.setDataSource(source("pool"));
        config.setReadOnly(true);
        config.setMaximumPoolSize(1);
        try (HikariDataSource pool = new HikariDataSource(config)) {
            try (Connection connection = pool.getConnection()) {
                fail(connection);
            }
            try (Connection connection = pool.getConnection()) {
                assertThat(connection.getAutoCommit()).isTrue();
                assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("5");
                add("c.db", 6);
                assertThat(rows(connection, "SELECT count(*) FROM t")).isEqualTo("6");
            }
        }
    }
}
