package org.litestream4j.crash;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code -Pcrash -Dcycles=1000 -Dcrash.seed=…}; 30 cycles take about a minute. */
class CrashTest {

    private static final Logger log = LoggerFactory.getLogger(CrashTest.class);

    @TempDir
    Path folder;

    @Test
    @Tag("crash")
    void killAtRandomMoments_losesNothingReplicated() throws Exception {
        run(Integer.getInteger("cycles", 30));
    }

    @Test
    void killAFewTimes_losesNothingReplicated() throws Exception {
        run(3);
    }

    private void run(int cycles) throws Exception {
        long seed = Long.getLong("crash.seed", System.nanoTime());
        log.warn("crash test: -Dcrash.seed={} cycles {}", seed, cycles);
        CrashHarness harness = new CrashHarness(folder, seed);
        harness.run(cycles);
        log.warn("{}", harness.summary()); // the tests' log level
        if (cycles >= 30) { // of a few, one alone would be too many
            assertThat(harness.continuity()).as(harness.summary()).isGreaterThanOrEqualTo(95);
        }
    }
}
