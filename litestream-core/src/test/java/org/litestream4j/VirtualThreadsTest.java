package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.sqlite.SQLiteConfig.TransactionMode;

/**
 * A virtual thread that waits inside a monitor, or below a native frame, occupies its carrier thread. A wait for the
 * replica does neither.
 */
class VirtualThreadsTest extends DurabilityFixture {

    @Test
    void waitForTheReplica_holdsNoMonitor() throws Exception {
        beginReplicated(TIMEOUT);
        try (Connection connection = open(TransactionMode.DEFERRED)) {
            gate.shut();
            ExecutorService threads = Executors.newSingleThreadExecutor();
            Thread thread = threads.submit(Thread::currentThread).get();
            Future<?> committed = threads.submit(() -> {
                execute(connection, "INSERT INTO t VALUES (1)");
                return null;
            });
            await().until(() -> isWaiting(thread, "ReplicationWaits"));
            ThreadInfo info =
                    ManagementFactory.getThreadMXBean().getThreadInfo(new long[] {thread.getId()}, true, false)[0];
            gate.open();
            committed.get();
            threads.shutdown();
            assertThat(info.getLockedMonitors()).as(info.toString()).isEmpty();
        }
    }

    private static boolean isWaiting(Thread thread, String place) {
        Thread.State state = thread.getState();
        return (state == Thread.State.WAITING || state == Thread.State.TIMED_WAITING)
                && Arrays.stream(thread.getStackTrace())
                        .anyMatch(frame -> frame.getClassName().contains(place));
    }

    @Test
    @EnabledForJreRange(minVersion = 21)
    void writersInVirtualThreads_arePinnedNoLongerThanTheirCommits() throws Exception {
        beginReplicated(TIMEOUT);
        gate.delay = Duration.ofMillis(200);
        Path file = replica.resolveSibling("pinned.jfr");
        List<RecordedEvent> pinned = new ArrayList<>();
        try (Recording recording = new Recording()) {
            recording
                    .enable("jdk.VirtualThreadPinned")
                    .withThreshold(Duration.ofMillis(100))
                    .withStackTrace();
            recording.start();
            ExecutorService virtual = (ExecutorService)
                    Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
            List<Future<?>> writers = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                writers.add(virtual.submit(() -> {
                    try (Connection connection = open(TransactionMode.DEFERRED)) {
                        execute(connection, "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)");
                    }
                    return null;
                }));
            }
            for (Future<?> writer : writers) {
                writer.get();
            }
            virtual.shutdown();
            recording.stop();
            recording.dump(file);
        }
        for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
            if (String.valueOf(event.getStackTrace()).contains("org.litestream4j")) {
                pinned.add(event);
            }
        }
        Files.delete(file);
        assertThat(pinned).isEmpty();
        assertThat(gate.puts.get()).isPositive();
    }
}
