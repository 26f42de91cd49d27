package org.litestream4j.spring.observation;

import io.micrometer.observation.Observation;
import org.jspecify.annotations.Nullable;
import org.litestream4j.LitestreamOperation;

/** Context of an observed operation. Confined to the operation's thread. */
public final class LitestreamObservationContext extends Observation.Context {

    private final LitestreamOperation operation;
    private LitestreamOperation.@Nullable Outcome outcome;

    LitestreamObservationContext(LitestreamOperation operation) {
        this.operation = operation;
    }

    public LitestreamOperation operation() {
        return operation;
    }

    /** Returns the outcome of the operation; null while it is running. */
    public LitestreamOperation.@Nullable Outcome outcome() {
        return outcome;
    }

    void ended(LitestreamOperation.Outcome value) {
        outcome = value;
    }
}
