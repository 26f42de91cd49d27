package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.litestream4j.restore.RestoreException.Reason;
import org.litestream4j.restore.RestoreProgress.Phase;

/** A database that somebody has open is not replaced. */
class TargetInUseTest extends RestoreFixture {

    @Test
    void restore_forceOverADatabaseInUse_isRefused() throws Exception {
        model.commit(4, 0);
        try (Connection user = useDatabase("WAL")) {
            assertInUse(force());
            execute(user, "INSERT INTO t VALUES (2)");
            assertThat(query(user, "SELECT count(*) FROM t")).isEqualTo(2);
            assertThat(query(user, "PRAGMA wal_checkpoint")).isZero();
        }
        restore(force());
        assertThat(target).hasBinaryContent(model.latest());
    }

    @Test
    void restore_forceOverADatabaseInATransaction_isRefused() throws Exception {
        model.commit(4, 0);
        try (Connection user = useDatabase("DELETE")) {
            execute(user, "BEGIN", "SELECT * FROM t");
            assertInUse(force());
            execute(user, "INSERT INTO t VALUES (2)", "COMMIT");
        }
        restore(force());
        assertThat(target).hasBinaryContent(model.latest());
    }

    @Test
    void restore_forceOverADatabaseThatIsOpenedMeanwhile_isRefused() throws Exception {
        model.commit(4, 0);
        useDatabase("WAL").close();
        List<Connection> users = new ArrayList<>();
        RestoreOptions options = RestoreOptions.builder()
                .force(true)
                .listener(progress -> {
                    if (progress.phase() == Phase.PUBLISHING && users.isEmpty()) {
                        users.add(useDatabase("WAL"));
                    }
                })
                .build();
        assertInUse(options);
        try (Connection user = users.get(0)) {
            assertThat(query(user, "SELECT count(*) FROM t")).isEqualTo(2);
        }
    }

    @Test
    void restore_overAnEmptyFileInATransaction_isRefused() throws Exception {
        assumeThat(Path.of("/proc/locks")).as("the list of locks of Linux").isReadable();
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        Files.createFile(target);
        try (Connection user = DriverManager.getConnection("jdbc:sqlite:" + target)) {
            execute(user, "BEGIN IMMEDIATE");
            assertInUse(RestoreOptions.defaults());
            execute(user, "ROLLBACK");
        }
        restore(RestoreOptions.defaults());
        assertThat(target).hasBinaryContent(model.latest());
    }

    private void assertInUse(RestoreOptions options) {
        assertThatThrownBy(() -> restore(options))
                .isInstanceOfSatisfying(
                        RestoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TARGET_EXISTS))
                .hasMessageContaining("another connection has it open");
    }

    private Connection useDatabase(String journalMode) {
        try {
            Files.createDirectories(target.getParent());
            Connection user = DriverManager.getConnection("jdbc:sqlite:" + target);
            execute(
                    user,
                    "PRAGMA journal_mode=" + journalMode,
                    "CREATE TABLE IF NOT EXISTS t(x)",
                    "INSERT INTO t VALUES (1)");
            return user;
        } catch (IOException | SQLException e) {
            throw new AssertionError(e);
        }
    }
}
