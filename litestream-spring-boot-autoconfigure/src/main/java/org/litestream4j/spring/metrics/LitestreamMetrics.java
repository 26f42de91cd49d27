package org.litestream4j.spring.metrics;

import com.google.errorprone.annotations.concurrent.GuardedBy;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Meters of each registered database, for up to a hundred databases. Receives the databases as a listener of
 * {@link org.litestream4j.Litestream}. Thread-safe.
 */
public final class LitestreamMetrics implements MeterBinder, LitestreamListener {

    private static final Logger LOG = LoggerFactory.getLogger(LitestreamMetrics.class);

    /** Maximum number of databases with meters; each has more than a hundred meters. */
    private static final int MAX_DATABASES = 100;

    private final Clock clock;
    private final int maxDatabases;

    @GuardedBy("this")
    private final Map<String, ManagedDatabase> databases = new LinkedHashMap<>();

    @GuardedBy("this")
    private boolean limited;

    @GuardedBy("this")
    private final Map<MeterRegistry, Map<String, List<Meter>>> registries = new HashMap<>();

    /** @param clock clock for the calculation of ages */
    public LitestreamMetrics(Clock clock) {
        this(clock, MAX_DATABASES);
    }

    /** @param maxDatabases maximum number of databases with meters at one time; databases registered later have none */
    public LitestreamMetrics(Clock clock, int maxDatabases) {
        this.clock = clock;
        this.maxDatabases = maxDatabases;
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
        if (databases.size() >= maxDatabases) {
            if (!limited) {
                limited = true;
                LOG.warn(
                        "no meters for databases beyond the first {}; to change that, define a bean of LitestreamMetrics with"
                                + " another maxDatabases: db={}",
                        maxDatabases,
                        database.name());
            }
            return;
        }
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
