package org.litestream4j.internal.engine;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.LitestreamListener;
import org.litestream4j.LitestreamOperation;
import org.litestream4j.LitestreamOperation.End;
import org.litestream4j.LitestreamOperation.Outcome;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Notifies all listeners. An exception of one affects neither the others nor the notifying thread. */
final class Listeners implements LitestreamListener {

    private static final Logger log = LoggerFactory.getLogger(Listeners.class);

    private final List<LitestreamListener> all;

    Listeners(List<LitestreamListener> all) {
        this.all = List.copyOf(all);
    }

    @Override
    public void onEvent(LitestreamEvent event) {
        for (LitestreamListener listener : all) {
            try {
                listener.onEvent(event);
            } catch (Throwable e) { // a lane must survive any failure of a listener
                log.warn(
                        "listener failed: db={} event={}",
                        event.database(),
                        event.getClass().getSimpleName(),
                        e);
            }
        }
    }

    @Override
    public @Nullable End onBegin(LitestreamOperation operation) {
        Deque<End> ends = null;
        for (LitestreamListener listener : all) {
            End end = begin(listener, operation);
            if (end != null) {
                ends = ends == null ? new ArrayDeque<>() : ends;
                ends.push(end);
            }
        }
        Deque<End> told = ends;
        return told == null ? null : outcome -> told.forEach(end -> end(end, operation, outcome));
    }

    private static @Nullable End begin(LitestreamListener listener, LitestreamOperation operation) {
        try {
            return listener.onBegin(operation);
        } catch (Throwable e) { // as above
            log.warn("listener failed: db={} begin={}", operation.database(), operation.kind(), e);
            return null;
        }
    }

    private static void end(End end, LitestreamOperation operation, Outcome outcome) {
        try {
            end.onEnd(outcome);
        } catch (Throwable e) { // as above
            log.warn("listener failed: db={} end={}", operation.database(), operation.kind(), e);
        }
    }
}
