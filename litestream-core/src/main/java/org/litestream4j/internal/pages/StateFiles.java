package org.litestream4j.internal.pages;

import java.io.IOException;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * A state whose files may be replaced by others that lead to the same pages, when retention deletes them. Shared by all
 * readers of the state. Thread-safe.
 */
final class StateFiles {

    private final StateFinder states;
    private final FetchWorkers planning;
    private volatile State state;

    /** Page 1, which each transaction reads first; null until it was read. Never changed. */
    private volatile byte @Nullable [] firstPage;

    StateFiles(State state, StateFinder states, FetchWorkers planning) {
        this.state = state;
        this.states = states;
        this.planning = planning;
    }

    State state() {
        return state;
    }

    byte @Nullable [] firstPage() {
        return firstPage;
    }

    void keepFirstPage(byte[] page) {
        firstPage = page;
    }

    /** Replaces the files by others of the same state. */
    void replace(State same) {
        state = same;
    }

    /**
     * Finds the state again after a file of it could not be read.
     *
     * @param seen state that was read
     * @param cause why
     */
    void findAgain(State seen, IOException cause, long deadline) throws IOException {
        Future<State> found = planning.submit(() -> {
            if (state.equals(seen)) {
                state = states.again(seen, cause);
            }
            return state;
        });
        planning.await(found, deadline, states.replica());
    }
}
