package org.litestream4j.spring.observation;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import org.jspecify.annotations.Nullable;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.LitestreamListener;
import org.litestream4j.LitestreamOperation;

/**
 * Creates observations of the engine's operations, for traces. The observation of a running operation is the current
 * one of its thread; its parent is the one that was current before. Thread-safe.
 */
public final class LitestreamObservations implements LitestreamListener {

    private static final ThreadLocal<Observation> ASKED = new ThreadLocal<>();

    /** The registry; null until it is set. */
    private volatile @Nullable ObservationRegistry registry;

    /** Creates an instance that observes nothing until the registry is set. */
    LitestreamObservations() {}

    public LitestreamObservations(ObservationRegistry registry) {
        this.registry = registry;
    }

    void use(ObservationRegistry value) {
        registry = value;
    }

    @Override
    public void onEvent(LitestreamEvent event) {
        // events are not operations
    }

    @Override
    public LitestreamOperation.@Nullable End onBegin(LitestreamOperation operation) {
        ObservationRegistry registry = this.registry;
        if (registry == null) {
            return null;
        }
        LitestreamObservationContext context = new LitestreamObservationContext(operation);
        Observation observation =
                Observation.createNotStarted(null, new DefaultConvention(operation.kind()), () -> context, registry);
        if (observation.isNoop()) {
            return null;
        }
        if (ASKED.get() != null && registry.getCurrentObservation() == null) {
            observation.parentObservation(ASKED.get());
        }
        Observation.Scope scope = observation.start().openScope();
        return outcome -> end(context, observation, scope, outcome);
    }

    /**
     * Returns a task that runs on another thread with the observation that is current now as its parent, for example
     * that of the request that starts the task. The parent may have ended by then.
     */
    public Runnable continued(Runnable task) {
        ObservationRegistry registry = this.registry;
        Observation current = registry == null ? null : registry.getCurrentObservation();
        if (current == null) {
            return task;
        }
        return () -> {
            ASKED.set(current);
            try {
                task.run();
            } finally {
                ASKED.remove();
            }
        };
    }

    private static void end(
            LitestreamObservationContext context,
            Observation observation,
            Observation.Scope scope,
            LitestreamOperation.Outcome outcome) {
        context.ended(outcome);
        if (outcome.error() != null) {
            observation.error(outcome.error());
        }
        try {
            scope.close();
        } finally {
            observation.stop();
        }
    }
}
