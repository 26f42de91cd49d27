package org.litestream4j.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Clocks that jump, or were wrong when a file was stamped: nothing is deleted too early, and no level stops. */
class CompactionClockTest extends CompactionFixture {

    /** A machine that starts with a clock that was not set yet, or after a long rest: which, it cannot tell. */
    @Test
    void clockFarFromTheNewestFileAtTheStart_deletesNothingForAnHour() throws Exception {
        commit(60, Duration.ofSeconds(1));
        compaction.run(false);
        for (Duration jump : List.of(Duration.ofDays(30), Duration.ofDays(-60))) {
            clock.jump(jump);
            compaction = compaction(replica, SETTINGS, LocalLevel0.NONE);
            compaction.run(false);
            assertThat(replica.deletes).isZero();
            assertThat(compaction.status().retentionProblem()).contains("newest file");
        }
        clock.jump(Duration.ofDays(30));
        compaction = compaction(replica, SETTINGS, LocalLevel0.NONE);
        clock.advance(Duration.ofMinutes(10));
        compaction.run(false);
        assertThat(replica.deletes).as("the test could not fail").isPositive();
        database.assertAllRestorable(replica);
    }

    @Test
    void clockThatJumpsForward_deletesNothing() throws Exception {
        commit(60, Duration.ofSeconds(1));
        compaction.run(false);
        long files = replica.names(0).size();
        clock.jump(Duration.ofDays(100));
        compaction.run(false);
        clock.advance(Duration.ofMinutes(30));
        compaction.run(false);
        assertThat(replica.names(0)).hasSize((int) files);
        assertThat(replica.deletes).isZero();
        assertThat(compaction.status().retentionProblem()).contains("clock");
        for (int i = 0; i < 3; i++) {
            clock.advance(Duration.ofMinutes(30));
            compaction.run(false);
        }
        assertThat(compaction.status().retentionProblem()).isNull();
        assertThat(replica.deletes).isPositive();
        database.assertAllRestorable(replica);
    }

    @Test
    void clockThatJumpsBack_stopsNoLevel() throws Exception {
        commit(60, Duration.ofSeconds(1));
        compaction.run(false);
        clock.jump(Duration.ofDays(-100));
        for (int i = 0; i < 4; i++) {
            commit(30, Duration.ofSeconds(1));
            compaction.run(false);
        }
        assertThat(replica.names(1)).hasSize(5);
        assertThat(replica.names(2).size()).isPositive();
        assertThat(compaction.isSnapshotDue(database.txid())).isTrue();
        database.assertAllRestorable(replica);
    }

    /** Stamped by a clock that was ahead. */
    @Test
    void fileFromTheFuture_doesNotKeepThoseBehindIt() throws Exception {
        commit(3, Duration.ofSeconds(1));
        clock.jump(Duration.ofHours(20));
        compaction.uploaded(database.commit(replica));
        clock.jump(Duration.ofHours(-20));
        commit(50, Duration.ofSeconds(10));
        Compaction next = compaction(replica, SETTINGS, LocalLevel0.NONE);
        next.run(true);
        clock.advance(Duration.ofMinutes(6));
        next.run(true);
        assertThat(replica.names(0)).hasSize(1);
    }
}
