package org.litestream4j.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.testing.ManualClock;

/**
 * Days of a database's life on a clock that is moved from one event to the next; looks at the replica in every hour, once right
 * after it began and once at some moment of it.
 */
public final class Simulation {

    /** What is simulated. */
    public interface Database {

        /** A transaction, uploaded. */
        void commit() throws Exception;

        /** Newest transaction on the replica. */
        Txid replicated();

        void publishSnapshot(Compaction compaction) throws Exception;

        /** Restores and compares. */
        void verify(List<LtxFileInfo> files, Txid txid) throws Exception;

        /** Transactions before this one are asked for no more. */
        void forgetBefore(Txid oldest);
    }

    private static final long HOUR = Duration.ofHours(1).toMillis();

    private final ManualClock clock;
    private final ReplicaClient replica;
    private final Compaction compaction;
    private final Database database;
    private final Random random = new Random(4);

    private final List<Integer> onTheHour = new ArrayList<>();
    private final List<Integer> atSomeMoment = new ArrayList<>();
    private final long begin;
    private long mostFiles;
    private long mostBytes;
    private long restored;
    private int restoreOneIn = 4;

    /** @param replica as it is, without counting what the simulation itself asks */
    public Simulation(ManualClock clock, ReplicaClient replica, Compaction compaction, Database database) {
        this.clock = clock;
        this.replica = replica;
        this.compaction = compaction;
        this.database = database;
        this.begin = clock.millis();
    }

    /** Restores a moment of the past in one of so many looks at the replica. */
    public Simulation restoreOneIn(int looks) {
        restoreOneIn = looks;
        return this;
    }

    /** Lives on. */
    public void run(Duration total, Duration every) throws Exception {
        long end = clock.millis() + total.toMillis();
        long nextCommit = clock.millis() + 1 + random.nextLong(every.toMillis());
        long hour = clock.millis() - Math.floorMod(clock.millis(), HOUR) + HOUR;
        long onHour = hour + 5_000;
        long some = hour + random.nextLong(HOUR);
        while (clock.millis() < end) {
            compaction.refresh();
            long due = compaction.millisUntilDue(database.replicated());
            long dueAt = due < 0 ? Long.MAX_VALUE : clock.millis() + due;
            long next = Math.min(Math.min(nextCommit, dueAt), Math.min(onHour, some));
            clock.advance(Duration.ofMillis(Math.max(0, next - clock.millis())));
            if (next == nextCommit) {
                database.commit();
                nextCommit += every.toMillis();
            }
            if (next == dueAt) {
                if (compaction.isSnapshotDue(database.replicated())) {
                    database.publishSnapshot(compaction);
                }
                compaction.run(false);
            }
            if (next == onHour) {
                onTheHour.add(look());
                onHour += HOUR;
            }
            if (next == some) {
                atSomeMoment.add(look());
                hour += HOUR;
                some = hour + random.nextLong(HOUR);
            }
        }
    }

    /** Number of files that the newest state is restored from. */
    private int look() throws Exception {
        List<LtxFileInfo> files = new ArrayList<>();
        for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
            replica.list(level, Txid.NONE, files::add);
        }
        mostFiles = Math.max(mostFiles, files.size());
        mostBytes =
                Math.max(mostBytes, files.stream().mapToLong(LtxFileInfo::size).sum());
        Txid oldest = files.stream()
                .filter(file -> file.minTxid().value() == 1)
                .map(LtxFileInfo::maxTxid)
                .min(Txid::compareTo)
                .orElseThrow();
        database.forgetBefore(oldest);
        List<LtxFileInfo> latest = ModelDatabase.plan(files, database.replicated());
        assertThat(latest).isNotEmpty();
        if (random.nextInt(restoreOneIn) == 0) {
            restoreSomething(files, oldest);
        }
        return latest.size();
    }

    /** A moment in the past that must be there still. */
    private void restoreSomething(List<LtxFileInfo> files, Txid oldest) throws Exception {
        long past = Math.min(Duration.ofHours(24).toMillis(), clock.millis() - begin - 1);
        Instant moment = clock.instant().minusMillis(random.nextLong(past));
        Txid found = Txid.NONE;
        for (LtxFileInfo file : files) {
            if (file.timestamp().isBefore(moment) && !file.maxTxid().isBefore(oldest)) {
                found = Txid.max(found, file.maxTxid());
            }
        }
        assertThat(found).as("the state of %s", moment).isNotEqualTo(Txid.NONE);
        database.verify(files, found);
        restored++;
    }

    public int medianOnTheHour() {
        List<Integer> sorted = new ArrayList<>(onTheHour);
        Collections.sort(sorted);
        return sorted.get(sorted.size() / 2);
    }

    public int mostOnTheHour() {
        return Collections.max(onTheHour);
    }

    public int mostAtSomeMoment() {
        return Collections.max(atSomeMoment);
    }

    public long mostFiles() {
        return mostFiles;
    }

    /** One line. */
    public String report() {
        CompactionStatus status = compaction.status();
        return "files in a restore plan on the hour " + distribution(onTheHour) + ", at some moment "
                + distribution(atSomeMoment) + "; at most " + mostFiles + " files with " + (mostBytes >> 10)
                + " KiB; restored " + restored + " states; merges " + status.merges() + ", snapshots "
                + status.snapshots() + ", deleted " + status.deleted();
    }

    private static String distribution(List<Integer> values) {
        List<Integer> sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        StringBuilder text = new StringBuilder("min/25/50/75/95/max ");
        for (int percent : new int[] {0, 25, 50, 75, 95, 100}) {
            text.append(percent == 0 ? "" : "/").append(sorted.get((sorted.size() - 1) * percent / 100));
        }
        return text.toString();
    }

    /** The model, whose pages are known for each transaction. */
    static final class Model implements Database {
        private final MemoryReplica replica;
        private final ModelDatabase model;
        private Compaction compaction;

        Model(ManualClock clock, MemoryReplica replica) throws IOException {
            this.replica = replica;
            this.model = new ModelDatabase(clock, 2);
        }

        void start(Compaction value) throws IOException {
            compaction = value;
            model.firstImage(replica).forEach(compaction::uploaded);
        }

        @Override
        public void commit() throws IOException {
            compaction.uploaded(model.commit(replica));
        }

        @Override
        public Txid replicated() {
            return model.txid();
        }

        @Override
        public void publishSnapshot(Compaction value) throws IOException {
            model.publishSnapshot(value);
        }

        @Override
        public void verify(List<LtxFileInfo> files, Txid txid) throws IOException {
            model.assertRestorable(replica, files, txid);
        }

        @Override
        public void forgetBefore(Txid oldest) {
            model.forgetBefore(oldest);
        }
    }
}
