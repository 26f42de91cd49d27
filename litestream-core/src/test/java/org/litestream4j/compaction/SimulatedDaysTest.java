package org.litestream4j.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.testing.ManualClock;

/** Any restore takes few files, forever: with the default levels, at several rates, on a simulated clock. */
class SimulatedDaysTest {

    private static final CompactionSettings DEFAULTS = new CompactionSettings(
            Levels.DEFAULT,
            Duration.ofMinutes(5),
            Duration.ofHours(24),
            Duration.ofHours(24),
            SnapshotKeep.NONE,
            true,
            PageEncoding.BLOCK,
            true);

    private final ManualClock clock = new ManualClock();
    private final MemoryReplica replica = new MemoryReplica();

    private Simulation simulate(Duration total, Duration every) throws Exception {
        Compaction compaction = new Compaction(replica, DEFAULTS, LocalLevel0.NONE, Fence.NONE, clock, clock::nanoTime);
        Simulation.Model model = new Simulation.Model(clock, replica);
        model.start(compaction);
        Simulation simulation = new Simulation(clock, new Uncounted(replica), compaction, model);
        simulation.run(total, every);
        System.out.println("a commit every " + every + " for " + total.toDays() + " days: " + simulation.report() + "; "
                + replica.puts + " PUTs, " + replica.deletes + " DELETEs, " + replica.lists + " LISTs");
        assertThat(Validation.run(replica, true, () -> false).problems()).isEmpty();
        return simulation;
    }

    @Test
    void oneCommitASecond_forSomeHours() throws Exception {
        Simulation simulation = simulate(Duration.ofHours(5), Duration.ofSeconds(1));
        assertThat(simulation.mostOnTheHour()).isLessThanOrEqualTo(75);
    }

    @Test
    void oneCommitAMinute_forThreeDays() throws Exception {
        Simulation simulation = simulate(Duration.ofDays(3), Duration.ofMinutes(1));
        assertThat(simulation.mostOnTheHour()).isLessThanOrEqualTo(40);
        assertThat(replica.puts).isLessThanOrEqualTo(3 * 24 * 105);
    }

    @Test
    void oneCommitAnHour_forAMonth() throws Exception {
        Simulation simulation = simulate(Duration.ofDays(30), Duration.ofHours(1));
        assertThat(simulation.mostOnTheHour()).isLessThanOrEqualTo(8);
        assertThat(simulation.mostAtSomeMoment()).isLessThanOrEqualTo(8);
        assertThat(simulation.mostFiles()).isLessThan(100);
    }

    @Test
    @Tag("slow")
    void oneCommitASecond_forAMonth() throws Exception {
        Simulation simulation = simulate(Duration.ofDays(30), Duration.ofSeconds(1));
        assertThat(simulation.mostOnTheHour()).isLessThanOrEqualTo(75);
        assertThat(simulation.medianOnTheHour()).isLessThanOrEqualTo(30);
        assertThat(simulation.mostAtSomeMoment()).isLessThanOrEqualTo(80);
    }

    @Test
    @Tag("slow")
    void oneCommitAMinute_forAMonth() throws Exception {
        Simulation simulation = simulate(Duration.ofDays(30), Duration.ofMinutes(1));
        assertThat(simulation.mostOnTheHour()).isLessThanOrEqualTo(40);
        assertThat(replica.puts).isLessThanOrEqualTo(30 * 24 * 105);
    }

    @Test
    @Tag("slow")
    void tenCommitsASecond_forADay() throws Exception {
        Simulation simulation = simulate(Duration.ofDays(1), Duration.ofMillis(100));
        assertThat(simulation.mostOnTheHour()).isLessThanOrEqualTo(120);
    }
}
