package org.litestream4j;

import org.jspecify.annotations.Nullable;

/**
 * Told of what happens. Called on the thread that it happens on, which replicates several databases and may hold one of them:
 * must be fast, must not block, and must not use a database that is replicated. What it throws is logged. Of one database,
 * events of different steps may come at the same time.
 */
@FunctionalInterface
public interface LitestreamListener {

    void onEvent(LitestreamEvent event);

    /**
     * Something that takes time begins, on this thread; for traces.
     *
     * @return told of its end; null if that is of no interest
     */
    default LitestreamOperation.@Nullable End onBegin(LitestreamOperation operation) {
        return null;
    }
}
