package org.litestream4j.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntPredicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.crash.CrashPointChild.Role;
import org.litestream4j.crash.CrashPointSurvivor.Kind;
import org.litestream4j.crash.CrashPoints.Effect;
import org.litestream4j.crash.CrashPoints.Outcome;
import org.litestream4j.testing.ChildProcess;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.History;
import org.litestream4j.testing.SqliteFixture;
import org.slf4j.LoggerFactory;

/**
 * Kills a process at its n-th call that changes a file, or lets this call fail, for every n until the process ends before the
 * n-th call. Then survivors or a new engine continue. Checks that the replica holds everything that was acknowledged, that it restores to
 * the database that SQLite shows, and that none of its transactions restores to a state that SQLite never counted as committed.
 *
 * <p>{@code -Pcrash -Dtest=CrashPointTest}; {@code -Dcrash.parallel=2} points at a time, {@code
 * -Dcrash.stride=7} takes every seventh point only, {@code -Dcrash.from} and {@code -Dcrash.to} are the first and last, and {@code
 * -Dcrash.only} is a pattern for the text of scenarios as the log shows it.
 */
class CrashPointTest {

    private static final org.slf4j.Logger log = LoggerFactory.getLogger(CrashPointTest.class);

    /** Visits only every n-th point, for a quick look. */
    private static final int STRIDE = Integer.getInteger("crash.stride", 1);

    /** First and last point to visit. */
    private static final int FROM = Integer.getInteger("crash.from", 1);

    private static final int TO = Integer.getInteger("crash.to", 5_000); // more calls than any of the scenarios makes

    /** Runs only scenarios whose text matches. */
    private static final Pattern ONLY = Pattern.compile(System.getProperty("crash.only", ""));

    @TempDir
    static Path shared;

    private static CrashPoints points;

    /** A database without a replica. */
    private static Path fresh;

    @TempDir
    Path folder;

    /** Silences the warning that a copied database is another file than the one that was captured. */
    @BeforeAll
    static void warnLess() {
        engineLogger().setLevel(Level.ERROR);
    }

    @AfterAll
    static void warnAgain() {
        engineLogger().setLevel(null);
    }

    private static Logger engineLogger() {
        return (Logger) LoggerFactory.getLogger("org.litestream4j.internal.capture");
    }

    @BeforeAll
    static void prepare() throws Exception {
        points = CrashPoints.build(shared);
        fresh = Files.createDirectory(shared.resolve("fresh"));
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + fresh.resolve("app.db"))) {
            History.create(connection);
        }
        points.rehearse(
                shared.resolve("rehearsal.out"),
                CrashPointChild.class,
                Role.RESTORE_IN_PLACE,
                copy(fresh, shared.resolve("rehearsal")),
                "FULL",
                "rehearsal");
    }

    /** Makes a database with a replica, stopped cleanly. */
    private static Path stopped(Path folder) throws Exception {
        copy(fresh, folder);
        try (Litestream litestream = EngineFixture.litestream()) {
            ManagedDatabase database = litestream.register(CrashPointChild.config(folder, folder, Role.APPLICATION));
            try (Connection connection = EngineFixture.open(database)) {
                History.append(connection, "before-1");
                History.append(connection, "before-2");
                database.sync(EngineFixture.TIMEOUT);
            }
        }
        return folder;
    }

    @ParameterizedTest
    @Tag("crash")
    @CsvSource({
        "APPLICATION, FULL, true",
        "APPLICATION, NORMAL, true",
        "APPLICATION, FULL, false",
        "APPLICATION, NORMAL, false",
        "CHECKPOINTS, FULL, false",
        "CHECKPOINTS, NORMAL, false",
        "RESTORE_IN_PLACE, FULL, false",
        "RESTORE_IN_PLACE, NORMAL, false"
    })
    void killedAlone_everyPoint(Role role, String synchronous, boolean begunAnew) throws Exception {
        killAlone(role, synchronous, begunAnew, n -> n % STRIDE == 0);
    }

    @ParameterizedTest
    @Tag("crash")
    @CsvSource({
        "APPLICATION, FULL, NOBODY",
        "APPLICATION, FULL, CONNECTION",
        "APPLICATION, NORMAL, CONNECTION",
        "APPLICATION, FULL, PASSIVE_ENGINE",
        "APPLICATION, NORMAL, PASSIVE_ENGINE",
        "CHECKPOINTS, FULL, CONNECTION",
        "ENGINE, FULL, CONNECTION",
        "RESTORE_IN_PLACE, FULL, CONNECTION",
        "FOREIGN_WRITER, FULL, ENGINE",
        "FOREIGN_WRITER, NORMAL, ENGINE"
    })
    void killedBesideAnother_everyPoint(Role role, String synchronous, Kind beside) throws Exception {
        Failures failures = new Failures();
        for (Effect effect : Effect.values()) {
            each(new Scenario(role, synchronous, beside, effect, Outcome.KILL), failures);
        }
        failures.assertNone();
    }

    @ParameterizedTest
    @Tag("crash")
    @CsvSource({
        "APPLICATION, FULL, NOBODY",
        "APPLICATION, NORMAL, NOBODY",
        "CHECKPOINTS, FULL, NOBODY",
        "ENGINE, FULL, CONNECTION",
        "RESTORE_IN_PLACE, FULL, NOBODY",
        "FOREIGN_WRITER, FULL, ENGINE",
        "FOREIGN_WRITER, NORMAL, ENGINE"
    })
    void oneCallFails_everyPoint(Role role, String synchronous, Kind beside) throws Exception {
        Failures failures = new Failures();
        each(new Scenario(role, synchronous, beside, Effect.NONE, Outcome.EIO), failures);
        each(new Scenario(role, synchronous, beside, Effect.FULL, Outcome.EIO), failures);
        each(new Scenario(role, synchronous, beside, Effect.NONE, Outcome.ENOSPC), failures);
        each(new Scenario(role, synchronous, beside, Effect.HALF, Outcome.ENOSPC), failures);
        failures.assertNone();
    }

    /** The disk below the replica, or below the side file of a restore in place, reports success for a write that it drops. */
    @ParameterizedTest
    @Tag("crash")
    @CsvSource({"APPLICATION, replica", "RESTORE_IN_PLACE, .app.db-litestream/restore"})
    void oneWriteIsLost_everyPoint(Role role, String below) throws Exception {
        Failures failures = new Failures();
        Scenario scenario = new Scenario(role, "FULL", Kind.NOBODY, Effect.NONE, Outcome.SUCCESS);
        each(scenario.below(below), failures);
        failures.assertNone();
    }

    @Test
    void aFewPoints_loseNothingReplicated() throws Exception {
        killAlone(Role.APPLICATION, "FULL", false, n -> n % 10 == 3);
        Failures failures = new Failures();
        Scenario foreign = new Scenario(Role.FOREIGN_WRITER, "FULL", Kind.ENGINE, Effect.FULL, Outcome.KILL);
        each(foreign, failures, 9, n -> n >= 7); // among them the force of the first commit
        each(foreign.with(Outcome.EIO), failures, 9, n -> n >= 7);
        failures.assertNone();
    }

    private void killAlone(Role role, String synchronous, boolean begunAnew, IntPredicate chosen) throws Exception {
        assumeTrue(ONLY.matcher(role.name()).find(), "only -Dcrash.only=" + ONLY);
        Path live = begunAnew ? copy(fresh, folder.resolve("live")) : stopped(folder.resolve("live"));
        Path copies = Files.createDirectory(folder.resolve("copies"));
        Path output = folder.resolve("child.out");
        try (ChildProcess child =
                points.startCopying(output, live, copies, CrashPointChild.class, role, live, synchronous, "killed")) {
            child.tell("go");
            assertThat(child.awaitExit(300)).isTrue();
            assertThat(child.exitCode()).as(child.output()).isZero();
        }
        List<String> calls = CrashPoints.counted(output);
        List<Path> left;
        try (Stream<Path> paths = Files.list(copies)) {
            left = paths.sorted().toList();
        }
        assertThat(left).hasSizeGreaterThan(calls.size());
        Failures failures = new Failures();
        inParallel(left.size(), index -> {
            Path copy = left.get(index - 1);
            String name = copy.getFileName().toString();
            int n = Integer.parseInt(name.substring(0, name.indexOf('.')));
            if (chosen.test(n)) {
                failures.run(
                        role + " " + synchronous + " " + calls.get(n - 1) + name.substring(name.indexOf('.')), () -> {
                            CrashPointCheck check = new CrashPointCheck(copy, role);
                            check.acknowledgedIsOnReplica();
                            check.continuesWithNewEngine();
                            check.restoresToTheFile();
                        });
            }
            SqliteFixture.deleteTree(copy);
            return true;
        });
        failures.tell(role + " " + synchronous + " killed alone, " + calls.size() + " calls");
        failures.assertNone();
    }

    private record Scenario(Role role, String synchronous, Kind beside, Effect effect, Outcome outcome, String below) {

        Scenario(Role role, String synchronous, Kind beside, Effect effect, Outcome outcome) {
            this(role, synchronous, beside, effect, outcome, "");
        }

        Scenario below(String value) {
            return new Scenario(role, synchronous, beside, effect, outcome, value);
        }

        Scenario with(Outcome value) {
            return new Scenario(role, synchronous, beside, effect, value, below);
        }
    }

    /** Visits points until the process ends before the n-th call. */
    private void each(Scenario scenario, Failures failures) throws Exception {
        if (ONLY.matcher(scenario.toString()).find()) {
            each(scenario, failures, TO, n -> n >= FROM && n % STRIDE == 0);
        }
    }

    private void each(Scenario scenario, Failures failures, int most, IntPredicate chosen) throws Exception {
        inParallel(most, n -> {
            if (!chosen.test(n)) {
                return true;
            }
            Path own = Files.createDirectory(
                    folder.resolve(scenario.role + "-" + scenario.effect + "-" + scenario.outcome + "-" + n));
            Path live = stopped(own.resolve("live"));
            boolean[] hit = new boolean[1];
            failures.run(scenario + " n=" + n, () -> hit[0] = run(scenario, n, own, live));
            boolean more = CrashPoints.hit(own.resolve("child.out")) != null;
            SqliteFixture.deleteTree(own);
            return more;
        });
        failures.tell(scenario);
    }

    /** Returns whether the n-th call was reached. */
    private boolean run(Scenario scenario, int n, Path own, Path live) throws Exception {
        Path output = own.resolve("child.out");
        String hit;
        CrashPointCheck check;
        try (CrashPointSurvivor survivor = CrashPointSurvivor.of(scenario.beside, live, scenario.role)) {
            try (ChildProcess child = points.start(
                    output,
                    live.resolve(scenario.below),
                    n,
                    scenario.effect,
                    scenario.outcome,
                    CrashPointChild.class,
                    scenario.role,
                    live,
                    scenario.synchronous,
                    "killed")) {
                survivor.accompany(child);
                hit = CrashPoints.hit(output);
                if (scenario.outcome == Outcome.KILL && hit != null) {
                    assertThat(child.exitCode()).as(child.output()).isEqualTo(128 + 9);
                } else {
                    assertThat(child.exitCode())
                            .as("%s: %s", hit, child.output())
                            .isZero();
                }
            }
            check = new CrashPointCheck(live, scenario.role);
            try {
                if (scenario.beside != Kind.ENGINE) { // a foreign writer gets no acknowledgement of replication
                    check.acknowledgedIsOnReplica();
                }
                survivor.continueAndCheck(check);
            } catch (Exception | AssertionError e) {
                throw new AssertionError(hit + ": " + e.getMessage(), e);
            }
        }
        check.restoresToTheFile();
        return hit != null;
    }

    private interface Task {
        /** Returns whether there may be more. */
        boolean run(int n) throws Exception;
    }

    private static void inParallel(int most, Task task) throws Exception {
        int threads = Integer.getInteger("crash.parallel", 2);
        AtomicInteger next = new AtomicInteger(1);
        AtomicReference<Boolean> ended = new AtomicReference<>(false);
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                running.add(pool.submit(() -> {
                    for (int n = next.getAndIncrement(); n <= most && !ended.get(); n = next.getAndIncrement()) {
                        if (!task.run(n)) {
                            ended.set(true);
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> future : running) {
                future.get();
            }
        } finally {
            pool.shutdown();
        }
    }

    /** Collects failures, so that a test visits all points. */
    private static final class Failures {
        private final List<String> found = Collections.synchronizedList(new ArrayList<>());
        private final AtomicInteger tried = new AtomicInteger();

        interface Point {
            void run() throws Exception;
        }

        void run(String description, Point point) {
            tried.incrementAndGet();
            try {
                point.run();
            } catch (Exception | AssertionError e) {
                String message =
                        (description + ": " + e).strip().replaceAll("\\s+", " ").replaceAll("/\\S*/junit-?\\d+/", "");
                found.add(message);
                log.warn("wrong: {}", message, found.size() <= 2 ? e : null);
            }
        }

        void tell(Object scenario) {
            log.warn("{}: points so far {}, wrong {}", scenario, tried, found.size());
        }

        void assertNone() {
            assumeTrue(tried.get() > 0, "only -Dcrash.only=" + ONLY);
            assertThat(found).as("wrong, of %s points", tried).isEmpty();
        }
    }

    /** Copies a folder. Databases in it must be closed. */
    private static Path copy(Path from, Path to) throws IOException {
        try (Stream<Path> paths = Files.walk(from)) {
            for (Path path : paths.toList()) {
                Files.copy(path, to.resolve(from.relativize(path)), java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
        return to;
    }
}
