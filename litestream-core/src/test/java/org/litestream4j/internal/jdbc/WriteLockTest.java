package org.litestream4j.internal.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.litestream4j.internal.capture.CaptureListener;

class WriteLockTest {

    @Test
    void interrupted_goesOn_andStaysInterrupted() {
        EngineWriteLock lock = new EngineWriteLock(new CaptureListener() {});
        lock.writeLockTaken();
        Thread.currentThread().interrupt();
        lock.awaitRelease();
        assertThat(Thread.interrupted()).isTrue();
    }
}
