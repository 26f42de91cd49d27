package org.litestream4j.internal.capture.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Plays what may happen to a database, in every order: see {@link World} for what is promised after each step. A sequence that
 * failed is one line of text; {@code -Dexplore.replay="..."} plays it again.
 */
class ExplorationTest {

    /** Of the ordinary run, with each kind of clock. */
    private static final int WALKS = 120;

    private static final int WALK_LENGTH = 40;

    private static Foreign other;

    @BeforeAll
    static void startOther() throws IOException {
        other = Foreign.start();
    }

    @AfterAll
    static void endOther() {
        other.close();
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

    private static void replay(boolean held, String actions) throws IOException {
        for (boolean checksums : new boolean[] {true, false}) {
            try (Explorer explorer = new Explorer(other, held, checksums, Set.of())) {
                assertThat(explorer.play(Action.parse(actions)).violation()).isNull();
            }
        }
    }

    /** The same sequences in each run. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void someSequencesOfEveryLength_breakNoPromise(boolean held) throws IOException {
        long seed = Long.getLong("explore.seed", 1);
        try (Explorer explorer = new Explorer(other, held, true, Set.of());
                Explorer unsummed = new Explorer(other, held, false, Set.of())) {
            for (String start : Explorer.STARTS.values()) {
                explorer.exhaust(Action.parse(start), 1, () -> false);
            }
            for (int walk = 0; walk < WALKS; walk++) {
                (walk % 4 == 3 ? unsummed : explorer).walk(seed + walk, WALK_LENGTH);
            }
            System.out.println("explored from seed " + seed + (held ? ", coarse clock: " : ": ") + counts(explorer)
                    + "; without checksums " + counts(unsummed));
            assertThat(List.of(report(explorer), report(unsummed))).containsOnly("");
        }
    }

    /** Ended with -Dexplore.seconds; the part that is played is chosen with the other properties. */
    @Test
    @Tag("soak")
    void everySequence_breaksNoPromise() throws IOException {
        long end = System.nanoTime()
                + Duration.ofSeconds(Integer.getInteger("explore.seconds", Integer.MAX_VALUE))
                        .toNanos();
        try (Explorer explorer = new Explorer(
                other, Boolean.getBoolean("explore.coarse"), !Boolean.getBoolean("explore.unsummed"), Set.of())) {
            int depth = Integer.getInteger("explore.depth", 4);
            for (var start : Explorer.STARTS.entrySet()) {
                boolean whole = explorer.exhaust(Action.parse(start.getValue()), depth, () -> System.nanoTime() > end);
                System.out.println("depth " + depth + " from " + start.getKey() + (whole ? ": " : ", a part: ")
                        + counts(explorer));
            }
            int states = explorer.exhaustStates(Integer.getInteger("explore.states", 6), () -> System.nanoTime() > end);
            System.out.println(states + " states: " + counts(explorer));
            long seed = Long.getLong("explore.seed", System.nanoTime());
            int walks = Integer.getInteger("explore.walks", 1_000_000);
            for (int walk = 0; walk < walks && System.nanoTime() < end; walk++) {
                explorer.walk(seed + walk, WALK_LENGTH);
            }
            System.out.println("walks from seed " + seed + ": " + counts(explorer));
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
