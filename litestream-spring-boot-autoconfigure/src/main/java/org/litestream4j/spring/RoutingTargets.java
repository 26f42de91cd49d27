package org.litestream4j.spring;

import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;

/** The targets of a routing {@code DataSource}, which often are not beans. */
final class RoutingTargets {

    private RoutingTargets() {}

    /** Replaces each target by the result of a function. Changes nothing if the function returns all targets unchanged. */
    static void replace(AbstractRoutingDataSource routing, UnaryOperator<DataSource> function) {
        Map<Object, DataSource> targets;
        try {
            targets = routing.getResolvedDataSources();
        } catch (IllegalStateException e) {
            return; // a subclass with its own resolution
        }
        Map<Object, Object> replaced = new HashMap<>();
        targets.forEach((key, target) -> replaced.put(key, function.apply(target)));
        DataSource standard = routing.getResolvedDefaultDataSource();
        DataSource replacedStandard = standard == null ? null : function.apply(standard);
        if (!replaced.equals(targets) || replacedStandard != standard) {
            routing.setTargetDataSources(replaced);
            if (replacedStandard != null) {
                routing.setDefaultTargetDataSource(replacedStandard);
            }
            routing.initialize();
        }
    }
}
