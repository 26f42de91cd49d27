package org.litestream4j.spring.observation;

import io.micrometer.common.KeyValues;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationConvention;
import org.litestream4j.LitestreamOperation;
import org.litestream4j.LitestreamOperation.Outcome;
import org.litestream4j.spring.observation.LitestreamObservation.HighCardinality;
import org.litestream4j.spring.observation.LitestreamObservation.LowCardinality;

/**
 * Names of observations as documented in {@code docs/observations.md}. None is the name of a meter: an application that
 * creates meters from observations would otherwise have two meters of one name with different tags.
 */
final class DefaultConvention implements ObservationConvention<LitestreamObservationContext> {

    private final LitestreamObservation documented;

    DefaultConvention(LitestreamOperation.Kind kind) {
        this.documented = LitestreamObservation.of(kind);
    }

    @Override
    public String getName() {
        return documented.getName();
    }

    @Override
    public String getContextualName(LitestreamObservationContext context) {
        return documented.getContextualName();
    }

    @Override
    public KeyValues getLowCardinalityKeyValues(LitestreamObservationContext context) {
        LitestreamOperation operation = context.operation();
        KeyValues values = KeyValues.of(LowCardinality.DATABASE.withValue(operation.database()));
        return operation.level() == LitestreamOperation.NO_LEVEL
                ? values
                : values.and(LowCardinality.LEVEL.withValue(String.valueOf(operation.level())));
    }

    @Override
    public KeyValues getHighCardinalityKeyValues(LitestreamObservationContext context) {
        Outcome outcome = context.outcome();
        if (outcome == null || outcome.txid().isNone()) {
            return KeyValues.empty();
        }
        KeyValues values =
                KeyValues.of(HighCardinality.TXID.withValue(outcome.txid().toString()));
        return outcome.bytes() == 0
                ? values
                : values.and(HighCardinality.BYTES.withValue(String.valueOf(outcome.bytes())));
    }

    @Override
    public boolean supportsContext(Observation.Context context) {
        return context instanceof LitestreamObservationContext;
    }
}
