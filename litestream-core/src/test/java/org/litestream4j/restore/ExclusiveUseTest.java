package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExclusiveUseTest {

    @TempDir
    Path folder;

    private Path database;

    @BeforeEach
    void create() throws SQLException {
        database = folder.resolve("app ä.db");
        try (Connection connection = open()) {
            execute(connection, "PRAGMA journal_mode=WAL", "CREATE TABLE t(x)", "INSERT INTO t VALUES (1)");
        }
    }

    private Connection open() throws SQLException {
        return DriverManager.getConnection("jdbc:sqlite:" + database + "?busy_timeout=0");
    }

    @Test
    void idleConnection_isEnoughToRefuse() throws Exception {
        try (Connection idle = open()) {
            query(idle, "SELECT count(*) FROM t");
            assertThatThrownBy(() -> ExclusiveUse.take(database, "file:///replica"))
                    .isInstanceOf(RestoreException.class)
                    .hasMessageContaining("another connection has it open")
                    .hasMessageContaining(database.toString());
            execute(idle, "INSERT INTO t VALUES (2)");
        }
        ExclusiveUse.take(database, "file:///replica").close();
    }

    @Test
    void taken_keepsOthersAway_andLeavesNoWal() throws Exception {
        ExclusiveUse use = ExclusiveUse.take(database, "file:///replica");
        try (Connection other = open()) {
            assertThatThrownBy(() -> query(other, "SELECT count(*) FROM t")).hasMessageContaining("locked");
            assertThat(folder).isDirectoryNotContaining(file -> !file.equals(database));
            use.close();
            assertThat(query(other, "SELECT count(*) FROM t")).isEqualTo(1);
        } finally {
            use.close();
        }
    }

    @Test
    void noDatabase_isNotInTheWay() throws Exception {
        Files.writeString(
                database, "no database at all, but as long as the header of one would be, and longer than that");
        ExclusiveUse.take(database, "file:///replica").close();
        assertThat(ExclusiveUse.isSeen(database)).isFalse();
    }

    @Test
    void user_isSeenByHisLock() throws Exception {
        assumeThat(Path.of("/proc/locks")).as("the list of locks of Linux").isReadable();
        assertThat(ExclusiveUse.isSeen(database)).isFalse();
        try (Connection idle = open()) {
            query(idle, "SELECT count(*) FROM t");
            assertThat(ExclusiveUse.isSeen(database)).isTrue();
        }
        assertThat(ExclusiveUse.isSeen(folder.resolve("missing.db"))).isFalse();
    }
}
