package org.litestream4j.readreplica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.internal.vfs.VfsFixture.execute;
import static org.litestream4j.internal.vfs.VfsFixture.primary;
import static org.litestream4j.internal.vfs.VfsFixture.rows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreTarget;

/** The API in a process in which pages cannot be fetched on demand. */
class RestoringTest {

    @TempDir
    Path folder;

    private SqlReplica replica = new SqlReplica(Path.of("replica"));

    private @org.jspecify.annotations.Nullable Connection primary;

    @BeforeEach
    void replicates() throws Exception {
        replica = new SqlReplica(folder.resolve("replica"));
        primary = primary(folder.resolve("a.db"), 100);
        replica.add(primary);
        execute(primary, "DELETE FROM t WHERE a > 10");
        replica.add(primary);
    }

    private RestoringBackend open() throws IOException {
        ReadReplicaOptions options = ReadReplicaOptions.builder()
                .folder(folder.resolve("local #1"))
                .pollInterval(Duration.ofMillis(1))
                .build();
        return RestoringBackend.open("restored", "no JNA", Replicas.open(ReplicaLocation.of(replica.url())), options);
    }

    @Test
    void newestStateAndMoments_areRead() throws Exception {
        RestoringBackend restoring = open();
        try (Connection now = restoring.newest().getConnection();
                Connection first =
                        restoring.asOf(RestoreTarget.txid(new Txid(1))).getConnection();
                Connection then = restoring
                        .asOf(RestoreTarget.timestamp(SqlReplica.timestamp(2).minusMillis(1)))
                        .getConnection()) {
            assertThat(rows(now, "SELECT count(*) FROM t")).isEqualTo("10");
            assertThat(rows(first, "SELECT count(*) FROM t")).isEqualTo("100");
            assertThat(rows(then, "SELECT count(*) FROM t")).isEqualTo("100");
            assertThatThrownBy(() -> execute(now, "DELETE FROM t")).hasMessageContaining("readonly");

            execute(primary, "DELETE FROM t");
            Txid txid = replica.add(primary);
            assertThat(restoring.awaitTxid(txid, Duration.ofSeconds(30))).isTrue();
            assertThat(rows(now, "SELECT count(*) FROM t"))
                    .as("an open connection")
                    .isEqualTo("10");
            try (Connection later = restoring.newest().getConnection()) {
                assertThat(rows(later, "SELECT count(*) FROM t")).isEqualTo("0");
            }
            assertThat(restoring.status().fallback()).isEqualTo("no JNA");
            assertThat(restoring.status().txid()).isEqualTo(txid);
        } finally {
            restoring.close();
        }
        try (var left = Files.list(folder.resolve("local #1"))) {
            assertThat(left).isEmpty();
        }
        assertThatThrownBy(() -> restoring.newest().getConnection().close())
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void replicaBegunAnew_isRestoredAgain() throws Exception {
        RestoringBackend restoring = open();
        try {
            SqlReplica anew = new SqlReplica(folder.resolve("anew"));
            Instant later = SqlReplica.timestamp(100);
            anew.add(primary, later.minusMillis(1));
            execute(primary, "DELETE FROM t WHERE a > 5");
            anew.add(primary, later); // the TXID that was restored
            Files.move(folder.resolve("replica"), folder.resolve("old"));
            Files.move(folder.resolve("anew"), folder.resolve("replica"));
            await().untilAsserted(() -> {
                try (Connection now = restoring.newest().getConnection()) {
                    assertThat(rows(now, "SELECT count(*) FROM t")).isEqualTo("5");
                }
            });
            assertThat(restoring.status().txid()).isEqualTo(new Txid(2));
        } finally {
            restoring.close();
        }
    }

    @Test
    void manyMoments_keepFewFiles() throws Exception {
        RestoringBackend restoring = open();
        try {
            DataSource first = restoring.asOf(
                    RestoreTarget.timestamp(SqlReplica.timestamp(2).minusMillis(1)));
            for (int i = 2; i < RestoredMoments.MAX_FILES + 4; i++) {
                try (Connection then = restoring
                        .asOf(RestoreTarget.timestamp(SqlReplica.timestamp(2).minusMillis(i)))
                        .getConnection()) {
                    assertThat(rows(then, "SELECT count(*) FROM t")).isEqualTo("100");
                }
            }
            try (var files = Files.walk(folder.resolve("local #1"))) {
                assertThat(files.filter(file -> file.toString().endsWith(".db")))
                        .hasSize(RestoredMoments.MAX_FILES + 1);
            }
            try (Connection again = first.getConnection()) {
                assertThat(rows(again, "SELECT count(*) FROM t")).isEqualTo("100");
            }
        } finally {
            restoring.close();
        }
    }

    @Test
    void failedOpening_leavesNoFolder() throws Exception {
        replica = new SqlReplica(folder.resolve("empty"));
        assertThatThrownBy(this::open).isInstanceOf(RestoreException.class);
        try (var left = Files.list(folder.resolve("local #1"))) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void missingMoment_isAnError() throws Exception {
        RestoringBackend restoring = open();
        try {
            assertThatThrownBy(() -> restoring.asOf(RestoreTarget.txid(new Txid(9))))
                    .isInstanceOf(RestoreException.class);
            assertThat(restoring.awaitTxid(new Txid(9), Duration.ofMillis(1))).isFalse();
        } finally {
            restoring.close();
        }
    }
}
