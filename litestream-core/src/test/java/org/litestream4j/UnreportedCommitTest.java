package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.sql.Connection;
import java.sql.PreparedStatement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.Txid;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.SqliteFixture;

/** SQLite calls no commit hook for VACUUM. */
class UnreportedCommitTest extends EngineFixture {

    @ParameterizedTest
    @ValueSource(strings = {"VACUUM", "-- now\n vacuum main"})
    void vacuum_returnsWhenItIsReplicated(String sql) throws Exception {
        create("CREATE TABLE t(x)");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(
                    config().durability(Durability.REPLICATED).build());
            try (Connection connection = open(database)) {
                for (int i = 0; i < 50; i++) {
                    execute(connection, "INSERT INTO t VALUES (randomblob(2000))");
                }
                execute(connection, "DELETE FROM t WHERE rowid % 2 = 0");
                Txid before = database.status().replicated();
                execute(connection, sql);
                assertThat(database.status().replicated()).isGreaterThan(before);
                assertRestored(connection);
            }
        }
    }

    @Test
    void preparedVacuumWhilePaused_isReportedAsNotReplicated() throws Exception {
        create("CREATE TABLE t(x)");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(
                    config().durability(Durability.REPLICATED).build());
            try (Connection connection = open(database);
                    PreparedStatement vacuum = connection.prepareStatement("VACUUM")) {
                database.pause(TIMEOUT);
                assertThatThrownBy(vacuum::execute).isInstanceOf(NotReplicatedException.class);
            }
        }
    }

    /** The replica alone, at the moment of the return. */
    private void assertRestored(Connection connection) throws Exception {
        java.nio.file.Path restored = folder.resolve("restored.db");
        java.nio.file.Files.deleteIfExists(restored);
        SqliteFixture.mergeLevel0(replica, restored);
        try (Connection copy = java.sql.DriverManager.getConnection("jdbc:sqlite:" + restored)) {
            for (String query : new String[] {"SELECT count(*), sum(length(x)) FROM t", "PRAGMA page_count"}) {
                assertThat(SqliteFixture.query(copy, query)).isEqualTo(SqliteFixture.query(connection, query));
            }
        }
    }
}
