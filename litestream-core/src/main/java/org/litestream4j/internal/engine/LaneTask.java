package org.litestream4j.internal.engine;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.litestream4j.internal.capture.Capture;

/** A task that another thread submits to the capture lane, with its result. It can be withdrawn until it begins. Thread-safe. */
final class LaneTask<T> {

    /** The work to run on the lane. */
    @FunctionalInterface
    interface Action<T> {
        T run(Capture capture) throws IOException;
    }

    private enum State {
        WAITING,
        BEGUN,
        WITHDRAWN
    }

    private final Action<T> action;
    private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
    private final CompletableFuture<T> result = new CompletableFuture<>();

    LaneTask(Action<T> action) {
        this.action = action;
    }

    /** Runs the task, on the lane; does nothing if the task was withdrawn. */
    void run(Capture capture) {
        if (state.compareAndSet(State.WAITING, State.BEGUN)) {
            try {
                result.complete(action.run(capture));
            } catch (Throwable e) { // the waiting thread must receive it
                result.completeExceptionally(e);
            }
        }
    }

    /** Fails the task because the lane has ended. */
    void refuse(IOException reason) {
        if (withdraw()) {
            result.completeExceptionally(reason);
        }
    }

    /** Withdraws the task; returns true if it has not run and will not run. */
    boolean withdraw() {
        return state.compareAndSet(State.WAITING, State.WITHDRAWN);
    }

    boolean isWaiting() {
        return state.get() == State.WAITING;
    }

    CompletableFuture<T> result() {
        return result;
    }
}
