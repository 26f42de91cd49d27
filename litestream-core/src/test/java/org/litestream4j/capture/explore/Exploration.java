package org.litestream4j.capture.explore;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Runs an {@link Explorer} from the command line, for long runs. */
final class Exploration {

    private Exploration() {}

    /**
     * Plays.
     *
     * @param args {@code real} or {@code held} (the clock of the file times), with {@code -bare} without checksums, with {@code -one}
     *     in one process; then {@code replay SEQUENCE}, {@code depth N}, {@code states N}, {@code interleave N}, {@code slice} or
     *     {@code walk N}
     */
    public static void main(String[] args) throws IOException {
        boolean held = args[0].startsWith("held");
        World.Rules rules = new World.Rules(held, !args[0].contains("-bare"));
        long begun = System.nanoTime();
        long end = begun + TimeUnit.SECONDS.toNanos(Integer.getInteger("explore.seconds", 1_000_000));
        BooleanSupplier ended = () -> System.nanoTime() > end;
        try (Parties parties = args[0].contains("-one") ? Parties.inThisProcess() : Parties.processes();
                Explorer explorer = new Explorer(parties, rules)) {
            switch (args[1]) {
                case "replay" -> {
                    Violation violation = explorer.trace(Move.parse(args[2])).violation();
                    if (violation != null) {
                        violation.printStackTrace();
                    }
                }
                case "depth" -> {
                    for (Map.Entry<String, List<Move>> start : Starts.all().entrySet()) {
                        boolean whole = explorer.exhaust(start.getValue(), Integer.parseInt(args[2]), ended);
                        print(start.getKey() + (whole ? "" : ", a part"), explorer, begun);
                    }
                }
                case "states" -> explorer.exhaustStates(Integer.parseInt(args[2]), new HashMap<>(), ended);
                case "interleave" -> {
                    Map<String, List<Move>> states = new HashMap<>();
                    explorer.exhaustStates(Integer.parseInt(args[2]), states, ended);
                    int done = 0;
                    for (List<Move> moves : new ArrayList<>(states.values())) {
                        if (explorer.interleave(moves, 1, 0, ended)) {
                            done++;
                        }
                        print(done + " of " + states.size() + " states", explorer, begun);
                    }
                }
                case "walk" -> {
                    long first = Long.getLong("explore.seed", 0);
                    for (int i = 0; i < Integer.parseInt(args[2]) && !ended.getAsBoolean(); i++) {
                        explorer.walk(first + i, 40);
                        if (i % 500 == 499) {
                            print(i + 1 + " walks", explorer, begun);
                        }
                    }
                }
                default -> throw new IllegalArgumentException(Arrays.toString(args));
            }
            explorer.found().forEach((moves, violation) -> System.out.println(moves + "\n    " + violation.getMessage()));
            explorer.losses().forEach((reason, moves) -> System.out.println("gave up: " + reason + "\n    " + moves));
            print("all", explorer, begun);
        }
    }

    private static void print(String what, Explorer explorer, long begun) {
        double seconds = (System.nanoTime() - begun) / 1e9;
        System.out.printf(
                "%s: %d sequences, %d failed, %.1f s, %.1f ms each%n",
                what, explorer.sequences(), explorer.failures(), seconds, seconds * 1e3 / explorer.sequences());
    }
}
