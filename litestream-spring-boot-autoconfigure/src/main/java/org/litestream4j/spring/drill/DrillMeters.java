package org.litestream4j.spring.drill;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.BaseUnits;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.LitestreamEvent.Registered;
import org.litestream4j.LitestreamEvent.Unregistered;
import org.litestream4j.LitestreamListener;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.drill.DrillOutcome;
import org.litestream4j.drill.DrillReport;

/** Meters of the drills of each database. They read the known reports only. Thread-safe. */
final class DrillMeters implements MeterBinder, LitestreamListener {

    private final Supplier<RestoreDrills> drills;
    private final Clock clock;

    @GuardedBy("this")
    private final Map<String, ManagedDatabase> databases = new LinkedHashMap<>();

    @GuardedBy("this")
    private final Map<MeterRegistry, Map<String, List<Meter>>> registries = new HashMap<>();

    /** @param drills provides the drills when a meter is read, because the engine's listeners exist before them */
    DrillMeters(Supplier<RestoreDrills> drills, Clock clock) {
        this.drills = drills;
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

    private synchronized void remove(String name) {
        databases.remove(name);
        registries.forEach((registry, meters) -> {
            List<Meter> gone = meters.remove(name);
            if (gone != null) {
                gone.forEach(registry::remove);
            }
        });
    }

    private List<Meter> meters(MeterRegistry registry, ManagedDatabase database) {
        Tags tags = Tags.of("database", database.name());
        List<Meter> meters = new ArrayList<>();
        for (DrillOutcome outcome : DrillOutcome.values()) {
            meters.add(FunctionCounter.builder(
                            "litestream.drills", database, one -> drills.get().count(one, outcome))
                    .description("Drills since the start")
                    .tags(tags.and("outcome", outcome.name().toLowerCase(Locale.ROOT)))
                    .register(registry));
        }
        meters.add(gauge(
                registry,
                database,
                "litestream.drill.failed",
                "Whether the last conclusive drill failed",
                one -> conclusive(one)
                                .filter(report -> report.outcome() == DrillOutcome.FAILED)
                                .isPresent()
                        ? 1
                        : 0));
        meters.add(gauge(
                registry,
                database,
                "litestream.drill.inconclusive",
                "Drills in a row, up to the last, that were inconclusive",
                one -> drills.get().inconclusiveInARow(one)));
        meters.add(seconds(
                registry, database, "litestream.drill.passed.age", "Time since the last passed drill", one -> reports(
                                one)
                        .filter(report -> report.outcome() == DrillOutcome.PASSED)
                        .findFirst()
                        .map(report -> Duration.between(report.endedAt(), clock.instant()))));
        meters.add(
                seconds(registry, database, "litestream.drill.recovery", "Measured recovery time", one -> reports(one)
                        .flatMap(report -> Stream.ofNullable(report.recoveryTime()))
                        .findFirst()));
        meters.add(seconds(
                registry,
                database,
                "litestream.drill.newest.age",
                "Age of the newest restorable commit at the last drill",
                one -> reports(one)
                        .flatMap(report -> Stream.ofNullable(report.newestAge()))
                        .findFirst()));
        meters.add(
                gauge(registry, database, "litestream.drill.requests", "Requests of the last drill", one -> reports(one)
                        .mapToDouble(DrillReport::requestCount)
                        .findFirst()
                        .orElse(Double.NaN)));
        meters.add(Gauge.builder("litestream.drill.received", database, one -> reports(one)
                        .mapToDouble(DrillReport::bytesReceived)
                        .findFirst()
                        .orElse(Double.NaN))
                .description("Bytes read from the replica by the last drill")
                .baseUnit(BaseUnits.BYTES)
                .tags(tags)
                .register(registry));
        return List.copyOf(meters);
    }

    /** Returns the reports of a database, newest first. */
    private Stream<DrillReport> reports(ManagedDatabase database) {
        return drills.get().reports(database).stream();
    }

    private Optional<DrillReport> conclusive(ManagedDatabase database) {
        return reports(database)
                .filter(report -> report.outcome() != DrillOutcome.INCONCLUSIVE)
                .findFirst();
    }

    private static Meter gauge(
            MeterRegistry registry,
            ManagedDatabase database,
            String name,
            String description,
            ToDoubleFunction<ManagedDatabase> value) {
        return Gauge.builder(name, database, value)
                .description(description)
                .tags("database", database.name())
                .register(registry);
    }

    private static Meter seconds(
            MeterRegistry registry,
            ManagedDatabase database,
            String name,
            String description,
            Function<ManagedDatabase, Optional<Duration>> value) {
        return TimeGauge.builder(name, database, TimeUnit.SECONDS, one -> value.apply(one)
                        .map(duration -> duration.toNanos() / 1e9)
                        .orElse(Double.NaN))
                .description(description)
                .tags("database", database.name())
                .register(registry);
    }
}
