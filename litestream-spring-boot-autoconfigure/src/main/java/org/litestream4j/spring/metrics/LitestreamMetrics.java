package org.litestream4j.spring.metrics;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Clock;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.LitestreamEvent.Registered;
import org.litestream4j.LitestreamEvent.Unregistered;
import org.litestream4j.LitestreamListener;
import org.litestream4j.ManagedDatabase;

/**
 * Meters of each database for as long as it is registered. It hears of them as a listener of their {@link
 * org.litestream4j.Litestream}. Thread-safe.
 */
public final class LitestreamMetrics implements MeterBinder, LitestreamListener {

    private final Clock clock;
    private final Map<String, ManagedDatabase> databases = new LinkedHashMap<>(); // guarded by this
    private final Map<MeterRegistry, Map<String, List<Meter>>> registries = new HashMap<>(); // guarded by this

    /** @param clock by which ages are measured */
    public LitestreamMetrics(Clock clock) {
        this.clock = clock;
    }

    @Override
    public synchronized void bindTo(MeterRegistry registry) {
        Map<String, List<Meter>> meters = registries.computeIfAbsent(registry, key -> new HashMap<>());
        databases.forEach((name, database) -> meters.computeIfAbsent(name, key -> meters(registry, database)));
    }

    @Override
    public void onEvent(LitestreamEvent event) {
        if (event instanceof Registered registered) {
            add(registered.managed());
        } else if (event instanceof Unregistered) {
            remove(event.database());
        }
    }

    private synchronized void add(ManagedDatabase database) {
        databases.put(database.name(), database);
        registries.forEach((registry, meters) -> meters.put(database.name(), meters(registry, database)));
    }

    private List<Meter> meters(MeterRegistry registry, ManagedDatabase database) {
        return new DatabaseMeters(registry, database, clock).register();
    }

    private synchronized void remove(String name) {
        databases.remove(name);
        registries.forEach((registry, meters) -> {
            List<Meter> gone = meters.remove(name);
            if (gone != null) {
                gone.forEach(registry::remove);
            }
        });
    }
}
