package org.litestream4j.spring;

import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;

/** The targets of a routing {@code DataSource}, which often are no beans. */
final class RoutingTargets {

    private RoutingTargets() {}

    /** Replaces targets by what a function makes of them; nothing is touched if it returns them all as they are. */
    static void replace(AbstractRoutingDataSource routing, UnaryOperator<DataSource> function) {
        Map<Object, DataSource> targets;
        try {
            targets = routing.getResolvedDataSources();
        } catch (IllegalStateException e) {
            return; // a subclass that resolves in its own way
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
