package org.litestream4j.compaction;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.testing.ManualClock;

/** A database whose first image and files are on a replica in memory, with a clock that the test moves. */
abstract class CompactionFixture {

    static final CompactionSettings SETTINGS = new CompactionSettings(
            Levels.DEFAULT,
            Duration.ofMinutes(5),
            Duration.ofHours(24),
            Duration.ofHours(24),
            SnapshotKeep.NONE,
            true,
            PageEncoding.BLOCK,
            true);

    final ManualClock clock = new ManualClock();
    final MemoryReplica replica = new MemoryReplica();
    final ModelDatabase database = new ModelDatabase(clock, 1);
    Compaction compaction = compaction(replica, SETTINGS, LocalLevel0.NONE);

    Compaction compaction(ReplicaClient client, CompactionSettings settings, LocalLevel0 local) {
        return new Compaction(client, settings, local, Fence.NONE, clock, clock::nanoTime);
    }

    @BeforeEach
    void firstImage() throws IOException {
        database.firstImage(replica).forEach(compaction::uploaded);
        clock.advance(Duration.ofSeconds(30)); // the window in which the next files arrive may merge at once
    }

    void commit(int count, Duration every) throws IOException {
        for (int i = 0; i < count; i++) {
            compaction.uploaded(database.commit(replica));
            clock.advance(every);
        }
    }

    static LtxFileName name(long min, long max) {
        return new LtxFileName(new Txid(min), new Txid(max));
    }
}
