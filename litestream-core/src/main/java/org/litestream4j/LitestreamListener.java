package org.litestream4j;

import org.jspecify.annotations.Nullable;

/**
 * Receives events of replicated databases. Methods are called on the thread on which the event occurs. That thread
 * replicates several databases and may hold a lock on one of them: implementations must be fast, must not block, and
 * must not use a replicated database. Exceptions are logged. Events of different steps of one database may arrive
 * concurrently.
 */
@FunctionalInterface
public interface LitestreamListener {

    void onEvent(LitestreamEvent event);

    /**
     * Called when an operation starts, on the thread that runs it. Meant for tracing.
     *
     * @return callback for the end of the operation; null if not needed
     */
    default LitestreamOperation.@Nullable End onBegin(LitestreamOperation operation) {
        return null;
    }
}
