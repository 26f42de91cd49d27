package org.litestream4j.internal.pages;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClosedException;
import org.litestream4j.replica.ReplicaFileChangedException;
import org.litestream4j.replica.ReplicaFileDamagedException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.restore.RestoreException;

/** Repeats what fails for a moment, up to a deadline, until closed. Thread-safe. */
final class Retries {

    private static final long FIRST_PAUSE_MILLIS = 50;

    private static final long MAX_PAUSE_MILLIS = 1000;

    private final Duration limit;
    private final CountDownLatch closed = new CountDownLatch(1);

    Retries(Duration limit) {
        this.limit = limit;
    }

    /** Returns the time, as of {@link System#nanoTime}, until which a call that starts now waits. */
    long deadline() {
        return System.nanoTime() + limit.toNanos();
    }

    boolean isClosed() {
        return closed.getCount() == 0;
    }

    void close() {
        closed.countDown();
    }

    void checkOpen() throws IOException {
        if (isClosed()) {
            throw new IOException("the read replica is closed");
        }
    }

    /** A request, or several. */
    @FunctionalInterface
    interface Step<T> {
        T run() throws IOException;
    }

    /**
     * Runs a step until it succeeds, fails for good, or the deadline is reached.
     *
     * @param what what fails, for the message
     * @throws ReplicaUnavailableException at the deadline
     */
    <T> T until(long deadline, String what, Step<T> step) throws IOException {
        for (long pause = FIRST_PAUSE_MILLIS; ; pause = Math.min(2 * pause, MAX_PAUSE_MILLIS)) {
            checkOpen();
            try {
                return step.run();
            } catch (IOException e) {
                if (isPermanent(e)) {
                    throw e;
                }
                checkOpen();
                long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (left <= pause || pause(pause)) {
                    throw e instanceof ReplicaUnavailableException ? e : unavailable(what, e);
                }
            }
        }
    }

    ReplicaUnavailableException unavailable(String what, Throwable cause) {
        return new ReplicaUnavailableException(
                what + " could not be read within " + limit.toMillis() + " ms: " + cause.getMessage()
                        + "; check the connection to the replica, or try again",
                cause);
    }

    /** Waits; an interrupt ends the pause and stays set. Returns whether the wait ended early. */
    private boolean pause(long millis) {
        try {
            return closed.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /** Returns whether another attempt would fail, too. */
    static boolean isPermanent(IOException e) {
        return e instanceof ReplicaFileNotFoundException
                || e instanceof ReplicaFileChangedException
                || e instanceof ReplicaFileDamagedException
                || e instanceof ReplicaClosedException
                || e instanceof ReplicaAccessException
                || e instanceof LtxFormatException
                || e instanceof RestoreException;
    }
}
