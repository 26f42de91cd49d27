package org.litestream4j.spring.observation;

import io.micrometer.common.KeyValues;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationConvention;
import java.util.Locale;
import org.litestream4j.LitestreamOperation;
import org.litestream4j.LitestreamOperation.Outcome;

/**
 * The names of {@code docs/observations.md}. None of them is a meter's: an application that makes meters of observations would have
 * two of one name, with different tags.
 */
final class DefaultConvention implements ObservationConvention<LitestreamObservationContext> {

    private final String kind;

    DefaultConvention(LitestreamOperation.Kind kind) {
        this.kind = kind.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String getName() {
        return "litestream.operation." + kind.replace('_', '.');
    }

    @Override
    public String getContextualName(LitestreamObservationContext context) {
        return "litestream " + kind.replace('_', ' ');
    }

    @Override
    public KeyValues getLowCardinalityKeyValues(LitestreamObservationContext context) {
        LitestreamOperation operation = context.operation();
        KeyValues values = KeyValues.of("database", operation.database());
        return operation.level() == LitestreamOperation.NO_LEVEL
                ? values
                : values.and("level", String.valueOf(operation.level()));
    }

    @Override
    public KeyValues getHighCardinalityKeyValues(LitestreamObservationContext context) {
        Outcome outcome = context.outcome();
        if (outcome == null || outcome.txid().isNone()) {
            return KeyValues.empty();
        }
        KeyValues values = KeyValues.of("txid", outcome.txid().toString());
        return outcome.bytes() == 0 ? values : values.and("bytes", String.valueOf(outcome.bytes()));
    }

    @Override
    public boolean supportsContext(Observation.Context context) {
        return context instanceof LitestreamObservationContext;
    }
}
