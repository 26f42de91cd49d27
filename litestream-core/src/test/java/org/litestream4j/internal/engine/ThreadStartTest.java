package org.litestream4j.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.litestream4j.Litestream;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.error.OptionNames;
import org.litestream4j.ltx.Txid;
import org.litestream4j.testing.EngineFixture;

/** No thread can be started, as at a limit of processes. */
class ThreadStartTest extends EngineFixture {

    private final AtomicInteger failures = new AtomicInteger();

    private Thread start(Runnable task) {
        if (failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            throw new OutOfMemoryError(
                    "unable to create native thread: possibly out of memory or process limits reached");
        }
        return new Thread(task);
    }

    @Test
    void lanesThatCannotBegin_areRetried_andTheErrorShowsMeanwhile() throws Exception {
        create("CREATE TABLE t(x)");
        try (Litestream litestream = new LitestreamEngine(
                Clock.systemUTC(), Duration.ofMillis(50), List.of(), List.of(), OptionNames.PLAIN, this::start)) {
            failures.set(Integer.MAX_VALUE);
            ManagedDatabase database = litestream.register(config().build());
            await().atMost(TIMEOUT)
                    .until(() -> String.valueOf(database.status().lastError()).contains("cannot start a thread"));
            assertThat(database.status().lastError()).contains("raise the limit of threads");
            failures.set(3);
            database.sync(TIMEOUT);
            await().atMost(TIMEOUT).until(() -> database.status().lastError() == null);

            Txid before = database.status().replicated();
            try (Connection foreign = plain()) { // the watch goes on, too
                execute(foreign, "INSERT INTO t VALUES (1)");
                await().atMost(TIMEOUT)
                        .until(() -> database.status().replicated().isAfter(before));
            }
        }
        assertReplicaIsDatabase();
    }

    @Test
    void laneWithFailuresNowAndThen_losesNoWakeUp() throws Exception {
        Pools pools = new Pools(this::start);
        AtomicInteger runs = new AtomicInteger();
        List<String> reports = new ArrayList<>();
        Lane.StartListener listener = new Lane.StartListener() {
            @Override
            public void startFailed(Throwable e) {
                reports.add("failed");
            }

            @Override
            public void started() {
                reports.add("started");
            }
        };
        Lane lane = new Lane(runs::incrementAndGet, listener, pools.compaction, pools.timer);
        failures.set(2);
        lane.wake();
        await().atMost(TIMEOUT).until(() -> runs.get() == 1);
        assertThat(reports).startsWith("failed").endsWith("started");
        lane.wake();
        await().atMost(TIMEOUT).until(() -> runs.get() == 2);
        assertThat(lane.stop(TIMEOUT)).isTrue();
        pools.close();
    }

    @Test
    void laneThatThrows_runsAgain() throws Exception {
        Pools pools = new Pools(this::start);
        AtomicInteger runs = new AtomicInteger();
        Lane lane = new Lane(
                () -> {
                    if (runs.incrementAndGet() == 1) {
                        throw new StackOverflowError();
                    }
                },
                new Progress("db", "replica", null, event -> {}, OptionNames.PLAIN)
                        .starts(LitestreamEvent.Step.CAPTURE, null),
                pools.compaction,
                pools.timer);
        lane.wake();
        await().atMost(TIMEOUT).until(() -> runs.get() == 2);
        pools.close();
    }

    /** A real limit: another user, whose threads the kernel counts. */
    @Test
    void realLimitOfProcesses_isSurvived() throws Exception {
        Path output = folder.resolve("child.out");
        List<String> command = List.of(
                "setpriv",
                "--reuid=64123",
                "--regid=64123",
                "--clear-groups",
                "--inh-caps=+dac_override",
                "--ambient-caps=+dac_override",
                "prlimit",
                "--nproc=100");
        assumeTrue(works(command), "only where another user's processes can be limited (root, setpriv, prlimit)");
        List<String> java = new ArrayList<>(command);
        java.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                ThreadLimitChild.class.getName(),
                path.toString()));
        create("CREATE TABLE t(x)");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        Process child = new ProcessBuilder(java)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(child.waitFor(90, TimeUnit.SECONDS)).isTrue();
            assertThat(output).content().contains("error: cannot start a thread", "replicated after the limit");
            assertThat(child.exitValue()).isZero();
        } finally {
            child.destroyForcibly().waitFor();
        }
        assertReplicaIsDatabase();
    }

    private static boolean works(List<String> command) throws Exception {
        List<String> probe = new ArrayList<>(command);
        probe.add("true");
        try {
            return new ProcessBuilder(probe).redirectErrorStream(true).start().waitFor() == 0;
        } catch (java.io.IOException e) {
            return false; // no such program
        }
    }
}
