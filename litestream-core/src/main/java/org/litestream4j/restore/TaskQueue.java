package org.litestream4j.restore;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.StopSignal;

/** Queue of tasks for a few workers; tasks may add tasks. The first failure ends all tasks. Thread-safe. */
final class TaskQueue {

    private final StopSignal stop;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Deque<Task> waiting = new ArrayDeque<>();
    private int unfinished;
    private @Nullable Throwable failure;

    TaskQueue(StopSignal stop) {
        this.stop = stop;
    }

    synchronized void add(Collection<? extends Task> tasks) {
        waiting.addAll(tasks);
        unfinished += tasks.size();
        notifyAll();
    }

    /** Runs tasks until none is left, or until a task has failed. */
    void work(PageImage.Writer writer) {
        try {
            for (Task task = next(); task != null; task = next()) {
                task.run(writer);
                finished();
            }
        } catch (Throwable e) { // includes Error: it is rethrown to the caller of the restore
            fail(e);
        }
    }

    private synchronized @Nullable Task next() throws InterruptedException {
        while (waiting.isEmpty() && unfinished > 0 && !stop.isStopped()) {
            wait();
        }
        return stop.isStopped() ? null : waiting.poll();
    }

    private synchronized void finished() {
        if (--unfinished == 0) {
            ended.countDown();
            notifyAll();
        }
    }

    /** Ends all work. Only the first failure is reported. */
    synchronized void fail(Throwable e) {
        if (failure == null) {
            failure = e;
        }
        stop();
    }

    /** Stops the workers at their next step. */
    synchronized void stop() {
        stop.stop();
        ended.countDown();
        notifyAll();
    }

    /** Waits for the end of all tasks for a limited time and returns whether they have ended. */
    boolean awaitEnd(long millis) throws InterruptedException {
        return ended.await(millis, TimeUnit.MILLISECONDS);
    }

    /** Returns whether all tasks are done. */
    synchronized boolean isFinished() {
        return unfinished == 0;
    }

    /** Throws the failure that ended the work early, if there is one. */
    synchronized void throwFailure() throws IOException {
        if (failure instanceof IOException e) {
            throw e;
        }
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        if (failure instanceof Error e) {
            throw e;
        }
        if (failure != null) {
            throw new IOException("a restore's worker was interrupted", failure);
        }
    }

    /** A part of the work. */
    @FunctionalInterface
    interface Task {
        /**
         * Runs the task.
         *
         * @param writer writer of the worker
         */
        void run(PageImage.Writer writer) throws IOException;
    }
}
