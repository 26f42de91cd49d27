package org.litestream4j.replica.s3;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Sends the parts of large files on other threads: a limited number at once for all uploads of a client, which bounds
 * the memory. Idle threads end. Thread-safe.
 */
final class S3Parts implements Closeable {

    private static final int IDLE_SECONDS = 5;

    /** Sends one part. */
    @FunctionalInterface
    interface Sending<T> {
        T send() throws IOException;
    }

    private final Semaphore room;

    private final ThreadPoolExecutor threads;

    S3Parts(int concurrency, String name) {
        room = new Semaphore(concurrency);
        AtomicInteger number = new AtomicInteger();
        threads = new ThreadPoolExecutor(
                concurrency, concurrency, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "litestream-s3-part-" + name + "-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
    }

    /** Waits for a free slot, then sends the part on another thread. The future fails with the exception of {@code sending}. */
    <T> CompletableFuture<T> submit(Sending<T> sending) throws IOException {
        try {
            room.acquire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            InterruptedIOException exception = new InterruptedIOException("interrupted while waiting to send a part");
            exception.initCause(e);
            throw exception;
        }
        CompletableFuture<T> future = new CompletableFuture<>();
        boolean accepted = false;
        try {
            threads.execute(() -> {
                try {
                    T result = sending.send();
                    room.release();
                    future.complete(result);
                } catch (Throwable e) { // includes Error: the waiting thread must receive it
                    room.release();
                    future.completeExceptionally(e);
                }
            });
            accepted = true;
        } finally {
            if (!accepted) {
                room.release();
            }
        }
        return future;
    }

    /** Accepts no more parts. Running requests end when their client is closed. */
    @Override
    public void close() {
        threads.shutdown();
        try {
            threads.awaitTermination(IDLE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
