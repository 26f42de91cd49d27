package org.litestream4j.readreplica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.internal.vfs.VfsFixture.execute;
import static org.litestream4j.internal.vfs.VfsFixture.primary;
import static org.litestream4j.internal.vfs.VfsFixture.rows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.RestoreException;

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

    private Restoring open() throws IOException {
        ReadReplicaOptions options = ReadReplicaOptions.builder()
                .folder(folder.resolve("local #1"))
                .pollInterval(Duration.ofMillis(1))
                .build();
        return Restoring.open("restored", "no JNA", Replicas.open(ReplicaLocation.of(replica.url())), options);
    }

    @Test
    void newestStateAndMoments_areRead() throws Exception {
        Restoring restoring = open();
        try (Connection now = restoring.newest().getConnection();
                Connection first = restoring.asOf(new Txid(1)).getConnection();
                Connection then =
                        restoring.asOf(SqlReplica.timestamp(2).minusMillis(1)).getConnection()) {
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
    void missingMoment_isAnError() throws Exception {
        Restoring restoring = open();
        try {
            assertThatThrownBy(() -> restoring.asOf(new Txid(9))).isInstanceOf(RestoreException.class);
            assertThat(restoring.awaitTxid(new Txid(9), Duration.ofMillis(1))).isFalse();
        } finally {
            restoring.close();
        }
    }
}
