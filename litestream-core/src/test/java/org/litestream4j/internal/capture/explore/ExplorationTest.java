package org.litestream4j.internal.capture.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.util.StringJoiner;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Plays what may happen to a database, in every order: see {@link World} for what is promised after each step. A sequence that
 * failed is one line of text; {@code -Dexplore.replay="..."} plays it again.
 */
class ExplorationTest {

    /** Of the ordinary run, with each kind of clock: one of so many interleavings is played. */
    private static final int STRIDE = 67;

    private static final int WALKS = 60;

    private static Parties parties;

    @BeforeAll
    static void startOthers() throws IOException {
        parties = Parties.processes();
    }

    @AfterAll
    static void endOthers() {
        parties.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // a commit that SQLite does not count
                "E J I fh C",
                "E J I ap C a1 a1 C",
                "a1 fK",
                "a1 E J I fK S a1 W C R",
                // backfilled up to the end while nobody captured, and the reader of the next start at mark 0
                "a1 E J I a1 C K f1 fp E J a1 C",
                "a1 E J I a1 K fs E J a1",
                "a1 E J I K f1 fp E J aw C",
                "a1 E J I ar a1 C P aR f1 fp E J f1 C",
            })
    void sequenceThatLostCommits_isCapturedWhole(String actions) throws IOException {
        replay(false, actions);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "E J I a1 C ax Q f1 fx E J C",
                "E J I a1 C R P f1 ft E J C",
                "E J I Q a1 fp a1",
                "E J I Q a- ax aw",
                "E J I a1 K at",
                "E J I a1 C ax Q f1 fx T E J C",
            })
    void sequenceThatLostCommitsWithinOneTickOfTheClock_isCapturedWhole(String actions) throws IOException {
        replay(true, actions);
    }

    /** Each finds a fault that was put into the engine: see docs/reliability.md. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "a1 E J I a1 C f1 R R f1 C",
                "a1 E J I K f1 fp E f1@4 J",
                "a1 E J I K f1 fp E fh@4 J",
                "a1 E J I a1 C K f1 fp E a1@4 J",
                "a1 E J I a1 C K f1 fp E",
                "a1 E J I a1 C K Z f1",
                "a1 E J I B@0 R",
                "a1 E J I a1 C f1 ap",
                "E J I Q a1",
                "a1 E J I a1 C R P E J a1 C K fb at",
                "a1 E J I a1 C K f1 ft E J",
                "a1 E J I a1 C B",
                "a1 E J I B K",
                "a1 E J I a1 C B K a1",
                "a1 E J I a1 C B K f1 E J",
            })
    void sequenceThatFindsAFault_isCapturedWhole(String actions) throws IOException {
        replay(false, actions);
    }

    private static void replay(boolean held, String actions) throws IOException {
        for (boolean checksums : new boolean[] {true, false}) {
            try (Explorer explorer = new Explorer(parties, new World.Rules(held, checksums))) {
                assertThat(explorer.play(Move.parse(actions)).violation()).isNull();
            }
        }
    }

    /** The same sequences in each run. */
    @ParameterizedTest
    @CsvSource({"false, true, 1", "true, true, 2", "false, false, 3"})
    void someSequencesOfEveryLength_breakNoPromise(boolean coarse, boolean checksums, long seed) throws IOException {
        try (Explorer explorer = new Explorer(parties, new World.Rules(coarse, checksums))) {
            explorer.slice(seed, STRIDE, WALKS);
            System.out.println("explored" + (coarse ? ", coarse clock" : "") + (checksums ? "" : ", without checksums")
                    + ": " + counts(explorer));
            assertThat(report(explorer)).isEmpty();
        }
    }

    /** Ended with -Dexplore.seconds; the part that is played is chosen with the other properties. */
    @Test
    @Tag("soak")
    void everySequence_breaksNoPromise() throws IOException {
        long end =
                System.nanoTime() + TimeUnit.SECONDS.toNanos(Integer.getInteger("explore.seconds", Integer.MAX_VALUE));
        BooleanSupplier ended = () -> System.nanoTime() > end;
        World.Rules rules =
                new World.Rules(Boolean.getBoolean("explore.coarse"), !Boolean.getBoolean("explore.unsummed"));
        try (Parties others = Boolean.getBoolean("explore.processes") ? Parties.processes() : Parties.inThisProcess();
                Explorer explorer = new Explorer(others, rules)) {
            new Survey(explorer, ended).run();
            assertThat(report(explorer)).isEmpty();
        }
    }

    @Test
    void sequenceOfTheCommandLine_breaksNoPromise() throws IOException {
        String actions = System.getProperty("explore.replay");
        assumeThat(actions).as("-Dexplore.replay").isNotNull();
        replay(Boolean.getBoolean("explore.coarse"), actions);
    }

    private static String counts(Explorer explorer) {
        return explorer.sequences() + " sequences, " + explorer.failures() + " failed";
    }

    private static String report(Explorer explorer) {
        StringJoiner lines = new StringJoiner("\n");
        explorer.found().forEach((actions, violation) -> lines.add(actions + "  " + violation.getMessage()));
        return lines.toString();
    }
}
