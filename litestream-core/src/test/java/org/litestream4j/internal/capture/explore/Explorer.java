package org.litestream4j.internal.capture.explore;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Plays sequences of moves, each from its start in a new world. For one thread.
 *
 * <p>What is found is shrunk to a sequence none of whose moves can be left out, and kept once.
 */
final class Explorer implements Closeable {

    /** Shrinking takes longer than finding. */
    private static final int MOST_SHRUNK = 40;

    /** What the capture lane does where it can. */
    private static final Set<Action> GOING_ON = EnumSet.of(Action.ATTACH, Action.JUDGE, Action.IMAGE);

    /** Points of a step up to which a walk lets others come between. */
    private static final int WALKED_POINTS = 60;

    static final int WALK_LENGTH = 40;

    private static final List<Action> ALPHABET = List.of(Action.values());

    private final Path folder;
    private final byte[] template;
    private final Parties parties;
    private final World.Rules rules;
    private final Map<String, Violation> found = new TreeMap<>();
    private final Set<String> shrunk = new HashSet<>();
    private long sequences;
    private long failures;

    /** The shortest sequence to each reason for which continuity was given up. */
    private final Map<String, String> losses = new TreeMap<>();

    /** Of the last sequence. */
    private List<String> lost = List.of();

    /** @param parties which outlive this */
    Explorer(Parties parties, World.Rules rules) throws IOException {
        this.parties = parties;
        this.rules = rules;
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
     * @param points that the last action had, if it was a step of the engine
     */
    record Outcome(@Nullable Violation violation, List<Action> possible, String state, List<String> points) {}

    /** Plays a sequence, skipping what is not possible, then lets it settle. */
    Outcome play(List<Move> moves) throws IOException {
        return play(moves, false, false);
    }

    /** As {@link #play}, and prints what each move does. */
    Outcome trace(List<Move> moves) throws IOException {
        return play(moves, true, true);
    }

    private Outcome play(List<Move> moves, boolean wantState, boolean trace) throws IOException {
        List<Action> possible = new ArrayList<>();
        List<String> points = new ArrayList<>();
        String[] state = {""};
        Violation violation = run(world -> {
            world.observe(wantState);
            for (Move move : moves) {
                boolean played = world.play(move);
                if (trace) {
                    System.out.println(move
                            + (played ? "  " : "  (not possible) ")
                            + world.state()
                            + world.failure()
                            + world.points().passed());
                }
            }
            possible.addAll(possible(world));
            points.addAll(world.points().passed());
            state[0] = wantState ? world.state() : "";
            world.settle();
        });
        return new Outcome(violation, possible, state[0], points);
    }

    @FunctionalInterface
    private interface Sequence {
        void play(World world) throws IOException, Violation;
    }

    private @Nullable Violation run(Sequence sequence) throws IOException {
        sequences++;
        try (World world = new World(folder.resolve("w" + sequences), template, parties, rules)) {
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

    private static List<Action> possible(World world) {
        return EnumSet.allOf(Action.class).stream()
                .filter(action -> action.isPossible(world))
                .toList();
    }

    private Outcome judged(List<Move> moves, boolean wantState) throws IOException {
        Outcome outcome = play(moves, wantState, false);
        establishContinuity(moves, outcome.violation());
        return outcome;
    }

    /** Plays every sequence of a length from a start, and all shorter ones. False if it was ended before. */
    boolean exhaust(List<Move> start, int depth, BooleanSupplier end) throws IOException {
        Outcome outcome = judged(start, false);
        if (depth > 0 && outcome.violation() == null) {
            for (Action next : outcome.possible()) {
                if (end.getAsBoolean() || !exhaust(append(start, Move.of(next)), depth - 1, end)) {
                    return false;
                }
            }
        }
        return true;
    }

    /**
     * After a start, plays each step of the engine that is possible then, once for each of its points and everything that can happen
     * there.
     *
     * @param stride one of so many is played
     * @param phase from 0, which one
     * @return false if it was ended before
     */
    boolean interleave(List<Move> start, int stride, int phase, BooleanSupplier end) throws IOException {
        int turn = phase;
        for (Action step : play(start).possible()) {
            if (!step.isOfEngine()) {
                continue;
            }
            int points = play(append(start, Move.of(step))).points().size();
            for (int at = 0; at < points; at++) {
                for (Action between : Action.values()) {
                    if (between.isBetween() && turn++ % stride == 0) {
                        if (end.getAsBoolean()) {
                            return false;
                        }
                        judged(append(append(start, new Move(between, at)), Move.of(step)), false);
                    }
                }
            }
        }
        return true;
    }

    /**
     * Plays every sequence up to a length, breadth first, but goes on from each state once only.
     *
     * @param seen gets the first sequence to each state
     * @param report told how far it is
     */
    void exhaustStates(int depth, Map<String, List<Move>> seen, BooleanSupplier end, Consumer<String> report)
            throws IOException {
        List<List<Move>> frontier = new ArrayList<>(Starts.all().values());
        for (int length = 0; length <= depth; length++) {
            List<List<Move>> next = new ArrayList<>();
            int played = 0;
            for (List<Move> moves : frontier) {
                if (end.getAsBoolean()) {
                    report.accept(played + " of " + frontier.size() + " sequences of length " + length + ", "
                            + seen.size() + " states");
                    return;
                }
                played++;
                Outcome outcome = judged(moves, true);
                if (outcome.violation() == null && seen.putIfAbsent(outcome.state(), moves) == null) {
                    for (Action action : outcome.possible()) {
                        next.add(append(moves, Move.of(action)));
                    }
                }
            }
            report.accept(played + " sequences of length " + length + ", " + seen.size() + " states");
            frontier = next;
        }
    }

    /**
     * Plays a part that is the same each time: one action after each start, some interleavings, some walks.
     *
     * @param stride one of so many interleavings is played
     */
    void slice(long seed, int stride, int walks) throws IOException {
        for (List<Move> start : Starts.all().values()) {
            exhaust(start, 1, () -> false);
        }
        int phase = (int) seed;
        for (List<Move> start : Starts.all().values()) {
            interleave(start, stride, phase++, () -> false);
        }
        for (int walk = 0; walk < walks; walk++) {
            walk(seed + walk, WALK_LENGTH);
        }
    }

    /** Plays one random sequence of possible moves. */
    void walk(long seed, int length) throws IOException {
        Random random = new Random(seed);
        List<List<Move>> starts = List.copyOf(Starts.all().values());
        List<Move> moves = new ArrayList<>(starts.get(random.nextInt(starts.size())));
        Violation violation = run(world -> {
            for (Move move : moves) {
                world.play(move);
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
                for (Move move : next.isOfEngine() ? between(random) : List.<Move>of()) {
                    moves.add(move);
                    world.play(move);
                }
                moves.add(Move.of(next));
                world.play(Move.of(next));
            }
            world.settle();
        });
        establishContinuity(moves, violation);
    }

    /** What comes between the points of the next step, in every second one. */
    private static List<Move> between(Random random) {
        List<Move> moves = new ArrayList<>();
        if (random.nextBoolean()) {
            int at = 0;
            for (int i = 1 + random.nextInt(3); i > 0; i--) {
                at += random.nextInt(WALKED_POINTS / i);
                Action action = ALPHABET.get(random.nextInt(ALPHABET.size()));
                if (action.isBetween()) {
                    moves.add(new Move(action, at));
                }
            }
        }
        return moves;
    }

    private void establishContinuity(List<Move> moves, @Nullable Violation violation) throws IOException {
        for (String reason : lost) {
            losses.merge(
                    reason.replaceAll("^\\S*: ", "").replaceAll("[0-9a-f]{16}|\\d+", "N"),
                    Move.format(moves),
                    (a, b) -> a.length() <= b.length() ? a : b);
        }
        if (violation == null) {
            return;
        }
        failures++;
        if (shrunk.size() < MOST_SHRUNK && shrunk.add(violation.kind() + Move.format(lastOf(moves)))) {
            List<Move> least = shrink(moves, violation.kind());
            Violation again = play(least).violation();
            Violation reason = again != null ? again : violation;
            if (found.putIfAbsent(Move.format(least), reason) == null) {
                System.out.println(
                        Move.format(least) + "\n    " + reason.getMessage() + "  [" + sequences + " sequences]");
            }
        }
    }

    private static List<Move> lastOf(List<Move> moves) {
        return moves.subList(Math.max(0, moves.size() - 3), moves.size());
    }

    /** Leaves out what can be left out so that the same promise is broken. */
    private List<Move> shrink(List<Move> moves, Violation.Kind kind) throws IOException {
        List<Move> least = moves;
        int piece = Math.max(1, least.size() / 2);
        while (true) {
            boolean any = false;
            for (int from = 0; from < least.size(); ) {
                List<Move> without = new ArrayList<>(least.subList(0, from));
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

    private static List<Move> append(List<Move> moves, Move next) {
        List<Move> longer = new ArrayList<>(moves);
        longer.add(next);
        return longer;
    }

    /** Shrunk sequences, and what each leads to. */
    Map<String, Violation> found() {
        return found;
    }

    /** Why continuity was given up, and the shortest sequence to each reason. */
    Map<String, String> losses() {
        return losses;
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
}
