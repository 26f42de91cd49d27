package org.litestream4j.internal.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WriteQueueTest {

    private static final long LONG = TimeUnit.MINUTES.toNanos(10);

    private final List<Thread> threads = new ArrayList<>();
    private final List<String> order = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void stop() throws InterruptedException {
        for (Thread thread : threads) {
            thread.interrupt();
            thread.join();
        }
    }

    private Thread start(Runnable work) {
        Thread thread = new Thread(work);
        threads.add(thread);
        thread.start();
        return thread;
    }

    /** In a thread of its own, once it waits. */
    private void queue(WriteQueue queue, String writer, long timeoutNanos) {
        long before = queue.waited();
        start(() -> {
            queue.await(writer, timeoutNanos);
            order.add(writer);
        });
        await().until(() -> queue.waited() > before);
    }

    @Test
    void sameWriter_doesNotWaitForItself() {
        WriteQueue queue = new WriteQueue(Duration.ofHours(1));
        queue.await("a", LONG);
        queue.await("a", LONG);
        assertThat(queue.waited()).isZero();
        queue.end("a");
        queue.await("b", LONG);
        assertThat(queue.waited()).isZero();
    }

    @Test
    void writers_comeInTheOrderInWhichTheyCame() {
        WriteQueue queue = new WriteQueue(Duration.ofHours(1));
        queue.await("a", LONG);
        assertThat(queue.waited()).isZero();
        for (String writer : List.of("b", "c", "d")) {
            queue(queue, writer, LONG);
        }
        assertThat(order).isEmpty();
        queue.end("a");
        await().untilAsserted(() -> assertThat(order).containsExactly("b"));
        queue.end("b");
        await().untilAsserted(() -> assertThat(order).containsExactly("b", "c"));
        queue.end("c");
        await().untilAsserted(() -> assertThat(order).containsExactly("b", "c", "d"));
        queue.end("d");
        queue.await("e", LONG);
        assertThat(queue.waited()).isEqualTo(3);
    }

    @Test
    void turnThatDoesNotEnd_isPassedOn_andEndsNoOther() {
        WriteQueue queue = new WriteQueue(Duration.ofMillis(1));
        queue.await("forgotten", LONG);
        queue.await("next", LONG);
        queue.end("forgotten");
        long before = queue.waited();
        queue.await("another", LONG); // waits for that of "next", which is passed on, too
        assertThat(queue.waited()).isEqualTo(before + 1);
    }

    @Test
    void timeout_returnsWithoutATurn() {
        WriteQueue queue = new WriteQueue(Duration.ofHours(1));
        queue.await("a", LONG);
        queue.await("late", 1);
        queue.end("late");
        queue(queue, "b", LONG);
        assertThat(order).isEmpty();
        queue.end("a");
        await().untilAsserted(() -> assertThat(order).containsExactly("b"));
    }

    @Test
    void firstThatGivesUp_letsTheNextComeFirst() {
        WriteQueue queue = new WriteQueue(Duration.ofHours(1));
        queue.await("a", LONG);
        queue(queue, "impatient", TimeUnit.MILLISECONDS.toNanos(200));
        queue(queue, "b", LONG);
        await().untilAsserted(() -> assertThat(order).containsExactly("impatient"));
        queue.end("a");
        await().untilAsserted(() -> assertThat(order).containsExactly("impatient", "b"));
    }

    @Test
    void interrupted_returnsWithoutATurn_andStaysInterrupted() {
        WriteQueue queue = new WriteQueue(Duration.ofHours(1));
        queue.await("a", LONG);
        Thread.currentThread().interrupt();
        queue.await("b", LONG);
        assertThat(Thread.interrupted()).isTrue();
        queue.end("a");
        queue.await("c", LONG);
        assertThat(queue.waited()).isEqualTo(1);
    }

    @Test
    void writerThatKeepsComingBack_letsOthersWriteBetween() {
        WriteQueue queue = new WriteQueue(Duration.ofHours(1));
        AtomicBoolean stop = new AtomicBoolean();
        try {
            for (String busy : List.of("a", "b", "c")) {
                start(() -> {
                    while (!stop.get()) {
                        queue.await(busy, LONG);
                        queue.end(busy);
                    }
                });
            }
            await().until(() -> queue.waited() > 0);
            for (int i = 0; i < 20; i++) {
                queue.await("rare", LONG);
                order.add("rare");
                queue.end("rare");
            }
            assertThat(order).as("turns, before the time limit of this test").hasSize(20);
        } finally {
            stop.set(true);
        }
    }

    @Test
    void many_allComeToAnEnd_oneAtATime() throws InterruptedException {
        WriteQueue queue = new WriteQueue(Duration.ofHours(1));
        int[] count = {0}; // guarded by the turns alone
        for (int i = 0; i < 8; i++) {
            Object writer = i;
            start(() -> {
                for (int turn = 0; turn < 20_000; turn++) {
                    queue.await(writer, LONG);
                    count[0]++;
                    queue.end(writer);
                }
            });
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(count[0]).isEqualTo(160_000);
    }
}
