package org.litestream4j.internal.capture.explore;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Plays sequences of actions, each from its start in a new world. For one thread.
 *
 * <p>What is found is shrunk to a sequence none of whose actions can be left out, and kept once.
 */
final class Explorer implements Closeable {

    /** Where sequences begin. */
    static final Map<String, String> STARTS = starts();

    /** Shrinking takes longer than finding. */
    private static final int MOST_SHRUNK = 400;

    /** What the capture lane does where it can. */
    private static final Set<Action> GOING_ON = EnumSet.of(Action.ATTACH, Action.JUDGE, Action.IMAGE);

    private final Path folder;
    private final byte[] template;
    private final Foreign foreign;
    private final boolean held;
    private final boolean checksums;
    private final Set<Action> alphabet;
    private final Map<String, Violation> found = new TreeMap<>();
    private final Set<String> shrunk = new HashSet<>();
    private long sequences;
    private long failures;
    private boolean trace;

    /** Of the last sequence. */
    private List<String> lost = List.of();

    /** The shortest sequence to each reason for which continuity was given up. */
    private final Map<String, String> losses = new TreeMap<>();

    private static Map<String, String> starts() {
        Map<String, String> starts = new LinkedHashMap<>();
        starts.put("fresh", "");
        starts.put("captured", "a1 E J I a1 C");
        starts.put("frozen", "a1 E J I a1 C R");
        starts.put("reset since", "a1 E J I a1 C R a1 C");
        starts.put("half backfilled", "a1 E J I ar a+ C R aR");
        starts.put("stopped", "a1 E J I a1 C ax Q");
        starts.put("killed", "a1 E J I a1 C K");
        starts.put("backfilled meanwhile", "a1 E J I a1 C K f1 fp");
        return starts;
    }

    /**
     * @param foreign which outlives this
     * @param held whether the times of files show only that of the last tick
     * @param checksums as for {@link EngineUnderTest}
     * @param without actions that are left out
     */
    Explorer(Foreign foreign, boolean held, boolean checksums, Set<Action> without) throws IOException {
        this.foreign = foreign;
        this.held = held;
        this.checksums = checksums;
        this.alphabet = EnumSet.allOf(Action.class);
        this.alphabet.removeAll(without);
        Path memory = Path.of("/dev/shm");
        folder = Files.isWritable(memory)
                ? Files.createTempDirectory(memory, "litestream-explore")
                : Files.createTempDirectory("litestream-explore");
        try {
            template = template(folder.resolve("template"));
        } catch (SQLException e) {
            throw new IOException(e);
        }
    }

    private static byte[] template(Path path) throws SQLException, IOException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path)) {
            Connections.run(connection, "PRAGMA page_size=512");
            Connections.run(connection, "PRAGMA journal_mode=WAL");
            for (String table : Connections.TABLES) {
                Connections.run(connection, "CREATE TABLE " + table + " (id INTEGER PRIMARY KEY, v)");
                Connections.run(connection, "INSERT INTO " + table + " (v) VALUES ('" + "x".repeat(300) + "')");
            }
            Connections.run(connection, "CREATE TABLE g (id INTEGER PRIMARY KEY, v)");
        }
        byte[] content = Files.readAllBytes(path);
        Files.delete(path);
        return content;
    }

    /**
     * What a sequence led to.
     *
     * @param violation null if every promise was kept
     * @param possible what may follow
     * @param state equal where two sequences led to the same, as far as that can be seen
     */
    record Outcome(@Nullable Violation violation, List<Action> possible, String state) {}

    /** Plays a sequence, skipping what is not possible, then lets it settle. */
    Outcome play(List<Action> actions) throws IOException {
        return play(actions, false);
    }

    private Outcome play(List<Action> actions, boolean wantState) throws IOException {
        List<Action> possible = new ArrayList<>();
        String[] state = {""};
        Violation violation = run(world -> {
            world.observe(wantState);
            for (Action action : actions) {
                boolean played = world.play(action);
                if (trace) {
                    System.out.println(
                            action.token() + (played ? "  " : "  (not possible) ") + world.state() + world.failure());
                }
            }
            possible.addAll(possible(world));
            state[0] = wantState ? world.state() : "";
            world.settle();
        });
        return new Outcome(violation, possible, state[0]);
    }

    @FunctionalInterface
    private interface Sequence {
        void play(World world) throws IOException, Violation;
    }

    private @Nullable Violation run(Sequence sequence) throws IOException {
        sequences++;
        try (World world = new World(folder.resolve("w" + sequences), template, foreign, held, checksums)) {
            try {
                sequence.play(world);
                return null;
            } catch (Violation e) {
                return e;
            } catch (IOException | RuntimeException e) {
                return new Violation(Violation.Kind.UNEXPECTED, e.toString(), e);
            } finally {
                lost = world.losses();
            }
        }
    }

    private List<Action> possible(World world) {
        return alphabet.stream().filter(action -> action.isPossible(world)).toList();
    }

    /** Plays every sequence of a length from a start, and all shorter ones. False if it was ended before. */
    boolean exhaust(List<Action> start, int depth, BooleanSupplier end) throws IOException {
        Outcome outcome = play(start);
        judge(start, outcome.violation());
        if (depth > 0 && outcome.violation() == null) {
            for (Action next : outcome.possible()) {
                if (end.getAsBoolean() || !exhaust(append(start, next), depth - 1, end)) {
                    return false;
                }
            }
        }
        return true;
    }

    /**
     * Plays every sequence up to a length, breadth first, but goes on from each state once only.
     *
     * @return how many states were seen
     */
    int exhaustStates(int depth, BooleanSupplier end) throws IOException {
        Set<String> seen = new HashSet<>();
        List<List<Action>> frontier = new ArrayList<>();
        for (String start : STARTS.values()) {
            frontier.add(Action.parse(start));
        }
        for (int length = 0; length <= depth; length++) {
            List<List<Action>> next = new ArrayList<>();
            for (List<Action> actions : frontier) {
                if (end.getAsBoolean()) {
                    return seen.size();
                }
                Outcome outcome = play(actions, true);
                judge(actions, outcome.violation());
                if (outcome.violation() == null && seen.add(outcome.state()) && length < depth) {
                    for (Action action : outcome.possible()) {
                        next.add(append(actions, action));
                    }
                }
            }
            frontier = next;
        }
        return seen.size();
    }

    /** Plays one random sequence of possible actions. */
    void walk(long seed, int length) throws IOException {
        Random random = new Random(seed);
        List<String> starts = List.copyOf(STARTS.values());
        List<Action> actions = new ArrayList<>(Action.parse(starts.get(random.nextInt(starts.size()))));
        Violation violation = run(world -> {
            for (Action action : actions) {
                world.play(action);
            }
            for (int i = 0; i < length; i++) {
                List<Action> possible = possible(world);
                Action next = possible.get(random.nextInt(possible.size()));
                if (random.nextBoolean()) { // else it would rarely be attached
                    next = possible.stream()
                            .filter(GOING_ON::contains)
                            .findFirst()
                            .orElse(next);
                }
                actions.add(next);
                world.play(next);
            }
            world.settle();
        });
        judge(actions, violation);
    }

    private void report(String least, Violation reason) {
        System.out.println(least + "\n    " + reason.getMessage() + "  [" + sequences + " sequences]");
    }

    private void judge(List<Action> actions, @Nullable Violation violation) throws IOException {
        for (String reason : lost) {
            losses.merge(
                    reason.replaceAll("^\\S*: ", "").replaceAll("[0-9a-f]{16}|\\d+", "N"),
                    Action.format(actions),
                    (a, b) -> a.length() <= b.length() ? a : b);
        }
        if (violation == null) {
            return;
        }
        failures++;
        if (shrunk.size() < MOST_SHRUNK && shrunk.add(violation.kind() + Action.format(lastOf(actions)))) {
            List<Action> least = shrink(actions, violation.kind());
            Violation reason = play(least).violation();
            if (found.putIfAbsent(Action.format(least), reason != null ? reason : violation) == null) {
                report(Action.format(least), reason != null ? reason : violation);
            }
        }
    }

    private static List<Action> lastOf(List<Action> actions) {
        return actions.subList(Math.max(0, actions.size() - 3), actions.size());
    }

    /** Leaves out what can be left out so that the same promise is broken. */
    List<Action> shrink(List<Action> actions, Violation.Kind kind) throws IOException {
        List<Action> least = actions;
        int piece = Math.max(1, least.size() / 2);
        while (true) {
            boolean any = false;
            for (int from = 0; from < least.size(); ) {
                List<Action> without = new ArrayList<>(least.subList(0, from));
                without.addAll(least.subList(Math.min(least.size(), from + piece), least.size()));
                Violation violation = play(without).violation();
                if (violation != null && violation.kind() == kind) {
                    least = without;
                    any = true;
                } else {
                    from += piece;
                }
            }
            if (piece == 1 && !any) {
                return least;
            }
            piece = Math.max(1, piece / 2);
        }
    }

    private static List<Action> append(List<Action> actions, Action next) {
        List<Action> longer = new ArrayList<>(actions);
        longer.add(next);
        return longer;
    }

    /** Shrunk sequences, and what each leads to. */
    Map<String, Violation> found() {
        return found;
    }

    /** How many were played. */
    long sequences() {
        return sequences;
    }

    /** How many of them broke a promise. */
    long failures() {
        return failures;
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(folder);
    }

    public static void main(String[] args) throws IOException {
        boolean held = args[0].startsWith("held");
        boolean checksums = !args[0].endsWith("-bare");
        long begun = System.nanoTime();
        try (Foreign foreign = Foreign.start();
                Explorer explorer = new Explorer(
                        foreign, held, checksums, Set.copyOf(Action.parse(args.length > 3 ? args[3] : "")))) {
            switch (args[1]) {
                case "replay" -> {
                    explorer.trace = true;
                    Violation violation = explorer.play(Action.parse(args[2])).violation();
                    if (violation != null) {
                        violation.printStackTrace();
                    }
                }
                case "depth" -> {
                    for (Map.Entry<String, String> start : STARTS.entrySet()) {
                        if (!start.getKey().contains(System.getProperty("explore.start", ""))) {
                            continue;
                        }
                        explorer.exhaust(Action.parse(start.getValue()), Integer.parseInt(args[2]), () -> false);
                        System.out.println(start.getKey() + ": " + explorer.sequences + " so far, " + explorer.failures
                                + " failed, s=" + (System.nanoTime() - begun) / 1e9);
                    }
                }
                case "states" ->
                    System.out.println("states " + explorer.exhaustStates(Integer.parseInt(args[2]), () -> false));
                case "walk" -> {
                    for (long seed = Long.getLong("explore.seed", 0), end = seed + Long.parseLong(args[2]);
                            seed < end;
                            seed++) {
                        if (seed % 500 == 499) {
                            System.out.println(seed + " walks, " + explorer.failures + " failed");
                        }
                        explorer.walk(seed, args.length > 4 ? Integer.parseInt(args[4]) : 40);
                    }
                }
                default -> throw new IllegalArgumentException(Arrays.toString(args));
            }
            double seconds = (System.nanoTime() - begun) / 1e9;
            explorer.found.forEach(
                    (actions, violation) -> System.out.println(actions + "\n    " + violation.getMessage()));
            explorer.losses.forEach((reason, actions) -> System.out.println("gave up: " + reason + "\n    " + actions));
            System.out.printf(
                    "%d sequences, %d failed, %.1f s, %.0f/s%n",
                    explorer.sequences, explorer.failures, seconds, explorer.sequences / seconds);
        }
    }
}
