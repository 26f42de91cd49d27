package org.litestream4j.compaction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.replica.DelegatingReplica;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaDeleteException;

/** Which files are deleted, and when deletes are refused or fail. */
class RetentionTest extends CompactionFixture {

    @Test
    void level0_goesByWholeFilesOfLevelOne() throws Exception {
        commit(20, Duration.ofSeconds(1));
        clock.advance(Duration.ofSeconds(10));
        compaction.run(false);
        commit(20, Duration.ofSeconds(1));
        clock.advance(Duration.ofSeconds(10));
        compaction.run(false);
        clock.advance(Duration.ofMinutes(5).minusSeconds(25));
        compaction.run(false);
        assertThat(replica.names(0)).hasSize(20).startsWith(name(23, 23));
        database.assertAllRestorable(replica);
        clock.advance(Duration.ofMinutes(5));
        compaction.run(false);
        assertThat(replica.names(0)).containsExactly(name(42, 42));
        database.assertAllRestorable(replica);
    }

    @Test
    void level0_staysUntilItIsMerged() throws Exception {
        clock.advance(Duration.ofHours(1));
        compaction.run(false);
        assertThat(replica.names(0)).containsExactly(name(2, 2));
        assertThat(compaction.status().deleted()).isZero();
    }

    private void days(int days) throws IOException {
        for (int hour = 0; hour < 24 * days; hour++) {
            commit(4, Duration.ofMinutes(15));
            if (compaction.isSnapshotDue(database.txid())) {
                database.publishSnapshot(compaction);
            }
            compaction.run(false);
        }
    }

    @Test
    void snapshots_alwaysLeaveTheRetentionOfPast() throws Exception {
        for (int day = 0; day < 6; day++) {
            days(1);
            Instant asked = clock.instant().minus(SETTINGS.snapshotRetention());
            if (day > 1) {
                assertThat(replica.all())
                        .anyMatch(file -> file.level() == 9 && !file.timestamp().isAfter(asked));
            }
            database.assertAllRestorable(replica);
        }
        assertThat(replica.names(9)).hasSizeBetween(2, 3);
        assertThat(replica.files()).isLessThan(400);
        assertThat(compaction.status().deleted()).isPositive();
    }

    @Test
    void retentionDisabled_deletesNothing() throws Exception {
        compaction = compaction(
                replica,
                new CompactionSettings(
                        Levels.DEFAULT,
                        Duration.ofMinutes(5),
                        Duration.ofHours(24),
                        Duration.ofHours(24),
                        SnapshotKeep.NONE,
                        false,
                        PageEncoding.BLOCK,
                        true),
                LocalLevel0.NONE);
        days(4);
        assertThat(replica.deletes).isZero();
        assertThat(replica.names(0)).hasSize((int) database.txid().value() - 1);
        assertThat(compaction.millisUntilDue(database.txid())).isGreaterThanOrEqualTo(-1);
        database.assertAllRestorable(replica);
    }

    @Test
    void failingDeletes_areTriedAgainAtOnce() throws Exception {
        boolean[] failing = {true};
        ReplicaClient passing = new DelegatingReplica(replica) {
            @Override
            public void delete(int level, Collection<LtxFileName> names) throws IOException {
                if (failing[0]) {
                    throw new ReplicaDeleteException(
                            url(), List.copyOf(names), "503 Slow Down", "", new IOException("503"));
                }
                super.delete(level, names);
            }
        };
        compaction = compaction(passing, SETTINGS, LocalLevel0.NONE);
        commit(60, Duration.ofSeconds(10));
        compaction.run(true);
        clock.advance(Duration.ofMinutes(6));
        assertThatThrownBy(() -> compaction.run(true)).isInstanceOf(IOException.class);
        assertThat(compaction.status().refused()).isZero();
        failing[0] = false;
        compaction.run(true);
        assertThat(replica.names(0)).hasSize(1);
    }

    @Test
    void refusedDeletes_areReportedAndTriedAgainLater() throws Exception {
        List<Collection<LtxFileName>> asked = new ArrayList<>();
        ReplicaClient refusing = new DelegatingReplica(replica) {
            @Override
            public void delete(int level, Collection<LtxFileName> names) throws IOException {
                asked.add(names);
                List<LtxFileName> all = List.copyOf(names);
                super.delete(level, all.subList(1, all.size()));
                throw new ReplicaDeleteException(url(), all.subList(0, 1), "locked", "unlock it", null);
            }
        };
        compaction = compaction(refusing, SETTINGS, LocalLevel0.NONE);
        commit(60, Duration.ofSeconds(1));
        compaction.run(false);
        clock.advance(Duration.ofMinutes(10));
        compaction.run(false);
        assertThat(compaction.status().refused()).isEqualTo(1);
        assertThat(compaction.status().retentionProblem()).contains("locked");
        compaction.run(false);
        assertThat(asked).hasSize(1);
        clock.advance(Duration.ofHours(2));
        compaction.run(false);
        assertThat(asked).hasSize(2);
        assertThat(asked.get(1)).hasSize(1);
        database.assertAllRestorable(replica);
    }

    /** As with S3 Object Lock: locked files are not touched, and those with longer locks are no error. */
    @Test
    void lockedFiles_areDeletedOnceTheirLocksHaveExpired() throws Exception {
        Duration lock = Duration.ofDays(3);
        List<Collection<LtxFileName>> asked = new ArrayList<>();
        ReplicaClient locking = new DelegatingReplica(replica) {
            @Override
            public Duration lockedFor() {
                return lock;
            }

            @Override
            public void delete(int level, Collection<LtxFileName> names) throws IOException {
                asked.add(names);
                if (asked.size() < 3) { // the store's own lock is longer
                    throw new ReplicaDeleteException(
                            url(), List.copyOf(names), clock.instant().plus(Duration.ofHours(6)));
                }
                super.delete(level, names);
            }
        };
        compaction = compaction(locking, SETTINGS, LocalLevel0.NONE);
        days(2);
        assertThat(asked).as("younger than the lock").isEmpty();
        days(2);
        assertThat(asked).isNotEmpty();
        assertThat(compaction.status().refused()).isZero();
        assertThat(compaction.status().retentionProblem()).isNull();
        days(8);
        assertThat(compaction.status().deleted()).isPositive();
        assertThat(replica.names(9)).hasSizeBetween(3, 6);
        for (int level = 0; level <= 9; level++) {
            assertThat(replica.names(level)).hasSizeLessThan(600);
        }
        assertThat(compaction.millisUntilDue(database.txid()))
                .as("no busy loop")
                .isNotZero();
        database.assertAllRestorable(replica);
    }
}
