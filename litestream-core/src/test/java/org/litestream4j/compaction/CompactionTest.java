package org.litestream4j.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;

/** When which files are merged, and that what they hold stays restorable. */
class CompactionTest extends CompactionFixture {

    @Test
    void firstLevels_beginAtTwo() throws Exception {
        commit(3, Duration.ofSeconds(1));
        compaction.run(false);
        assertThat(replica.names(1)).containsExactly(name(2, 5));
        assertThat(replica.names(9)).containsExactly(name(1, 1));
        database.assertAllRestorable(replica);
    }

    @Test
    void oneFile_waitsForASecond() throws Exception {
        compaction.run(false);
        assertThat(replica.names(1)).isEmpty();
        assertThat(compaction.millisUntilDue(database.txid())).isNegative();
        commit(1, Duration.ofMinutes(1));
        compaction.run(false);
        assertThat(replica.names(1)).containsExactly(name(2, 3));
        assertThat(replica.names(2)).isEmpty();
    }

    @Test
    void sameWindow_isMergedOnce() throws Exception {
        commit(2, Duration.ofSeconds(1));
        compaction.run(false);
        commit(2, Duration.ofSeconds(1));
        compaction.run(false);
        assertThat(replica.names(1)).containsExactly(name(2, 4));
        assertThat(compaction.millisUntilDue(database.txid())).isEqualTo(26_000);
        clock.advance(Duration.ofSeconds(26));
        compaction.run(false);
        assertThat(replica.names(1)).containsExactly(name(2, 4), name(5, 6));
    }

    @Test
    void nothingNew_makesNoRequest() throws Exception {
        commit(100, Duration.ofSeconds(1));
        compaction.run(false);
        clock.advance(Duration.ofMinutes(10));
        compaction.run(false);
        long requests = replica.requests();
        for (int i = 0; i < 100; i++) {
            clock.advance(Duration.ofMinutes(10));
            compaction.run(false);
        }
        assertThat(replica.requests()).isEqualTo(requests);
    }

    @Test
    void idleDatabase_hasNoFurtherAppointment() throws Exception {
        commit(100, Duration.ofSeconds(1));
        for (int i = 0; i < 10_000; i++) {
            long millis = compaction.millisUntilDue(database.txid());
            if (millis < 0) {
                break;
            }
            clock.advance(Duration.ofMillis(millis));
            if (compaction.isSnapshotDue(database.txid())) {
                database.publishSnapshot(compaction);
            }
            compaction.run(false);
        }
        assertThat(compaction.millisUntilDue(database.txid())).isNegative();
        assertThat(compaction.isChangedSinceSnapshot(database.txid())).isFalse();
        assertThat(replica.names(9)).containsExactly(name(1, database.txid().value()));
        database.assertAllRestorable(replica);
    }

    @Test
    void longOutage_isCaughtUpInOneGo() throws Exception {
        for (int i = 0; i < 1000; i++) { // nobody merged meanwhile
            compaction.uploaded(database.commit(replica));
            clock.advance(Duration.ofSeconds(10));
        }
        compaction.run(false);
        assertThat(replica.names(1)).hasSizeLessThan(40); // no more inputs at once than connections
        assertThat(replica.names(2)).hasSizeLessThan(3);
        assertThat(replica.names(3)).hasSizeLessThan(2);
        database.assertAllRestorable(replica);
    }

    @Test
    void restart_listsOnceAndGoesOn() throws Exception {
        commit(100, Duration.ofSeconds(1));
        compaction.run(false);
        compaction = compaction(replica, SETTINGS, LocalLevel0.NONE);
        long lists = replica.lists;
        commit(100, Duration.ofSeconds(1));
        for (int i = 0; i < 10; i++) {
            clock.advance(Duration.ofMinutes(1));
            compaction.run(false);
        }
        assertThat(replica.lists).isEqualTo(lists + 10);
        assertThat(Validation.run(replica, true, () -> false).problems()).isEmpty();
        database.assertAllRestorable(replica);
    }

    @Test
    void localFiles_areNotFetched() throws Exception {
        compaction = compaction(replica, SETTINGS, (name, size) -> {
            long gets = replica.gets;
            var in = replica.open(0, name, 0, ReplicaClient.TO_END);
            replica.gets = gets;
            return new OpenedFile(in, OptionalLong.empty());
        });
        commit(20, Duration.ofSeconds(1));
        compaction.run(false);
        assertThat(replica.gets).isZero();
        assertThat(replica.names(1)).hasSize(1);
    }

    @Test
    void changedPageSize_isNeverMergedAcrossAndAsksForASnapshot() throws Exception {
        commit(3, Duration.ofSeconds(1));
        database.pageSize(1024);
        compaction.uploaded(database.image(replica));
        commit(2, Duration.ofSeconds(1));
        compaction.run(false);
        assertThat(replica.names(1)).containsExactly(name(2, 5), name(6, 8));
        assertThat(compaction.isSnapshotDue(database.txid())).isTrue();
        database.publishSnapshot(compaction);
        assertThat(compaction.isSnapshotDue(database.txid())).isFalse();
        clock.advance(Duration.ofMinutes(6));
        compaction.run(false);
        assertThat(replica.names(2)).containsExactly(name(2, 5)); // alone, as nothing can be merged to it any more
        database.assertRestorable(replica, replica.all(), database.txid());
    }
}
