package org.litestream4j.compaction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.DelegatingReplica;
import org.litestream4j.replica.Mark;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.ReplicaAccessException;

/** Marks that are set, replaced or unreachable while retention deletes files. */
class MarkRaceTest extends CompactionFixture {

    private Runnable beforeDelete = () -> {};
    private boolean denied;
    private int lists;

    private final DelegatingReplica hooked = new DelegatingReplica(replica) {
        @Override
        public void delete(int level, Collection<LtxFileName> names) throws IOException {
            beforeDelete.run();
            super.delete(level, names);
        }

        @Override
        public Optional<MarkStore> marks() {
            MarkStore store = super.marks().orElseThrow();
            return Optional.of(new MarkStore() {
                @Override
                public List<Stored> list() throws IOException {
                    lists++;
                    if (denied) {
                        throw new ReplicaAccessException(url(), "403", "permit it", null);
                    }
                    return store.list();
                }

                @Override
                public Optional<byte[]> read(String name) throws IOException {
                    return store.read(name);
                }

                @Override
                public boolean create(String name, byte[] content) throws IOException {
                    return store.create(name, content);
                }

                @Override
                public boolean remove(String name) throws IOException {
                    return store.remove(name);
                }
            });
        }
    };

    private Mark mark(Txid txid, @Nullable Instant expires) {
        return new Mark("m", txid, clock.instant(), clock.instant(), expires);
    }

    private void startWithManyFiles() throws IOException {
        compaction = compaction(hooked, SETTINGS, LocalLevel0.NONE);
        commit(1250, Duration.ofSeconds(1));
        compaction.run(true);
        clock.advance(Duration.ofMinutes(10));
    }

    /** More files expire than one request deletes; the mark is set during the first request. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void markSetBetweenTwoRequests_isKept(boolean ownProcess) throws Exception {
        startWithManyFiles();
        Txid marked = new Txid(1200);
        Mark mark = mark(marked, null);
        Consumer<Mark> set =
                ownProcess ? compaction::announce : one -> replica.marks.putIfAbsent(one.name(), one.encode());
        beforeDelete = () -> {
            beforeDelete = () -> {};
            set.accept(mark);
        };
        compaction.run(true);
        assertThat(replica.deletes).isGreaterThan(1);
        assertThat(replica.names(0).size()).isLessThan(1000);
        database.assertRestorable(replica, replica.all(), marked);
    }

    @Test
    void announcement_waitsForTheRunningRequest() throws Exception {
        startWithManyFiles();
        Mark mark = mark(new Txid(100), null);
        Thread other = new Thread(() -> compaction.announce(mark));
        Thread.State[] during = new Thread.State[1];
        beforeDelete = () -> {
            beforeDelete = () -> {};
            other.start();
            do {
                during[0] = other.getState();
            } while (during[0] != Thread.State.WAITING && during[0] != Thread.State.TERMINATED);
        };
        compaction.run(true);
        other.join();
        assertThat(during[0]).isEqualTo(Thread.State.WAITING);
    }

    @Test
    void withdrawal_leavesAnotherMarkOfTheSameName() {
        Pins pins = new Pins(replica, Fence.NONE);
        Object first = pins.announce(mark(new Txid(2), null));
        pins.stored(first);
        Instant expires = clock.instant().plusSeconds(60);
        Object second = pins.announce(mark(new Txid(3), expires));
        assertThat(pins.tokens("m")).containsExactly(first);
        pins.withdraw(first);
        assertThat(pins.nextExpiry(clock.millis())).isEqualTo(expires.toEpochMilli());
        pins.withdraw(second);
        assertThat(pins.nextExpiry(clock.millis())).isEqualTo(Long.MAX_VALUE);
    }

    private void live(Duration total) throws IOException {
        Instant end = clock.instant().plus(total);
        while (clock.instant().isBefore(end)) {
            commit(1, Duration.ofMinutes(7));
            compaction.run(false);
        }
    }

    @Test
    void expiredMark_isRemovedAfterADay() throws Exception {
        replica.marks.put(
                "m",
                mark(new Txid(2), clock.instant().plus(Duration.ofHours(2))).encode());
        live(Duration.ofHours(25));
        assertThat(replica.marks).containsKey("m");
        live(Duration.ofHours(2));
        assertThat(replica.marks).isEmpty();
    }

    @Test
    void expiredMark_thatIsSetAgain_isNotRemoved() throws Exception {
        compaction = compaction(hooked, SETTINGS, LocalLevel0.NONE);
        replica.marks.put(
                "m",
                mark(new Txid(2), clock.instant().plus(Duration.ofHours(2))).encode());
        Instant late = clock.instant().plus(Duration.ofHours(26));
        boolean[] replaced = {false};
        beforeDelete = () -> {
            if (!replaced[0] && clock.instant().isAfter(late)) { // between the listing and the removal
                replaced[0] = true;
                replica.marks.replace("m", mark(database.txid(), null).encode());
            }
        };
        live(Duration.ofHours(28));
        assertThat(replaced[0]).isTrue();
        assertThat(replica.marks).containsKey("m");
    }

    @Test
    void expiredMark_isNotRemovedByAFencedProcess() throws Exception {
        boolean[] fenced = {false};
        Pins pins = new Pins(replica, () -> {
            if (fenced[0]) {
                throw new IOException("another program writes");
            }
        });
        replica.marks.put("m", mark(new Txid(2), clock.instant().plusSeconds(1)).encode());
        pins.refresh();
        fenced[0] = true;
        Instant later = clock.instant().plus(Duration.ofDays(2));
        assertThatThrownBy(() -> pins.removeExpired(later)).hasMessageContaining("another program");
        assertThat(replica.marks).containsKey("m");
        fenced[0] = false;
        pins.removeExpired(later);
        assertThat(replica.marks).isEmpty();
    }

    @Test
    void deniedMarks_pauseOnlyDeletions() throws Exception {
        compaction = compaction(hooked, SETTINGS, LocalLevel0.NONE);
        live(Duration.ofHours(3));
        denied = true;
        long deletes = replica.deletes;
        long puts = replica.puts;
        int before = lists;
        for (int i = 0; i < 60; i++) {
            commit(1, Duration.ofMinutes(1));
            compaction.run(false);
        }
        assertThat(replica.deletes).isEqualTo(deletes);
        assertThat(lists - before).isBetween(1, 7);
        assertThat(replica.puts - puts).as("commits and merges").isGreaterThan(70);
        assertThat(compaction.status().retentionProblem()).contains("marks cannot be read");
        denied = false;
        live(Duration.ofHours(1));
        assertThat(replica.deletes).isGreaterThan(deletes);
        assertThat(compaction.status().retentionProblem()).isNull();
    }
}
