package org.litestream4j.internal.capture.explore;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * A long run, part after part: {@code -Dexplore.depth} actions after each start, {@code -Dexplore.states} actions with each state
 * once, everything between the points of a step after {@code -Dexplore.between} actions, {@code -Dexplore.walks} random walks.
 */
final class Survey {

    private final Explorer explorer;
    private final BooleanSupplier end;
    private final long begun = System.nanoTime();

    /** @param end asked before each sequence */
    Survey(Explorer explorer, BooleanSupplier end) {
        this.explorer = explorer;
        this.end = end;
    }

    void run() throws IOException {
        depth(Integer.getInteger("explore.depth", 3));
        states(Integer.getInteger("explore.states", 4));
        between(Integer.getInteger("explore.between", 1));
        walks(Long.getLong("explore.seed", System.nanoTime()), Integer.getInteger("explore.walks", 1_000_000));
        explorer.losses().forEach((reason, moves) -> System.out.println("gave up: " + reason + "\n    " + moves));
    }

    private void depth(int depth) throws IOException {
        if (depth < 0) {
            return;
        }
        for (Map.Entry<String, List<Move>> start : Starts.all().entrySet()) {
            boolean whole = explorer.exhaust(start.getValue(), depth, end);
            print("up to " + depth + " actions from " + start.getKey() + (whole ? "" : ", a part"));
        }
    }

    private void states(int length) throws IOException {
        if (length >= 0) {
            explorer.exhaustStates(length, new HashMap<>(), end, this::print);
        }
    }

    private void between(int length) throws IOException {
        if (length < 0) {
            return;
        }
        Map<String, List<Move>> states = new HashMap<>();
        explorer.exhaustStates(length, states, end, this::print);
        int done = 0;
        for (List<Move> moves : new ArrayList<>(states.values())) {
            if (!explorer.interleave(moves, 1, 0, end)) {
                break;
            }
            done++;
        }
        print("between the points of each step, after " + done + " of " + states.size() + " states");
    }

    private void walks(long seed, int walks) throws IOException {
        int done = 0;
        while (done < walks && !end.getAsBoolean()) {
            explorer.walk(seed + done, Explorer.WALK_LENGTH);
            done++;
        }
        print(done + " walks from seed " + seed);
    }

    private void print(String what) {
        double seconds = (System.nanoTime() - begun) / 1e9;
        System.out.printf(
                "%s: %d sequences, %d failed, %.0f s, %.1f ms each%n",
                what, explorer.sequences(), explorer.failures(), seconds, seconds * 1e3 / explorer.sequences());
    }
}
