package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.compaction.Simulation;
import org.litestream4j.compaction.SnapshotKeep;
import org.litestream4j.compaction.Validation;
import org.litestream4j.testing.ManualClock;

/** The parts of the engine, with a real database and a replica in a folder, on a simulated clock. */
class SimulatedEngineTest {

    @TempDir
    Path folder;

    private final ManualClock clock = new ManualClock();

    private Simulation simulate(Duration total, Duration every) throws Exception {
        try (SimulatedEngine engine = new SimulatedEngine(folder, clock, SnapshotKeep.NONE)) {
            Simulation simulation = new Simulation(clock, engine.client, engine.compaction, engine);
            simulation.run(total, every);
            System.gc();
            Runtime runtime = Runtime.getRuntime();
            System.out.println("engine, a commit every " + every + " for " + total + ": " + simulation.report()
                    + "; heap " + ((runtime.totalMemory() - runtime.freeMemory()) >> 20) + " MiB");
            assertThat(Validation.run(engine.client, true, () -> false).problems())
                    .isEmpty();
            return simulation;
        }
    }

    @Test
    void oneCommitAnHour_forFiveDays() throws Exception {
        Simulation simulation = simulate(Duration.ofDays(5), Duration.ofHours(1));
        assertThat(simulation.mostAtSomeMoment()).isLessThanOrEqualTo(8);
    }

    @Test
    @Tag("slow")
    void oneCommitAnHour_forAMonth() throws Exception {
        Simulation simulation = simulate(Duration.ofDays(30), Duration.ofHours(1));
        assertThat(simulation.mostAtSomeMoment()).isLessThanOrEqualTo(8);
    }

    @Test
    @Tag("slow")
    void oneCommitAMinute_forAMonth() throws Exception {
        Simulation simulation = simulate(Duration.ofDays(30), Duration.ofMinutes(1));
        assertThat(simulation.mostAtSomeMoment()).isLessThanOrEqualTo(40);
    }

    @Test
    @Tag("slow")
    void oneCommitASecond_forADay() throws Exception {
        Simulation simulation = simulate(Duration.ofDays(1), Duration.ofSeconds(1));
        assertThat(simulation.mostAtSomeMoment()).isLessThanOrEqualTo(75);
        assertThat(simulation.medianOnTheHour()).isLessThanOrEqualTo(30);
    }

    @Test
    @Tag("soak")
    void oneCommitASecond_forAMonth() throws Exception {
        Simulation simulation = simulate(Duration.ofDays(30), Duration.ofSeconds(1));
        assertThat(simulation.mostAtSomeMoment()).isLessThanOrEqualTo(75);
        assertThat(simulation.medianOnTheHour()).isLessThanOrEqualTo(30);
    }
}
