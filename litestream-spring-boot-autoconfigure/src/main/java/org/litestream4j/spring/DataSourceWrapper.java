package org.litestream4j.spring;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ManagedDatabase;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;
import org.springframework.util.ClassUtils;

/**
 * Puts a {@link ReplicatedDataSource} below each HikariCP pool of a replicated database before the pool opens its first
 * connection. If that is too late, or for other pools, puts it in front of the pool. Unordered, so that it runs last
 * and sees the settings applied by other post-processors.
 */
final class DataSourceWrapper implements BeanPostProcessor {

    private static final Logger LOG = LoggerFactory.getLogger(DataSourceWrapper.class);
    private static final boolean HIKARI = ClassUtils.isPresent("com.zaxxer.hikari.HikariDataSource", null);

    private final Supplier<ReplicatedDatabases> databases;
    private final TrainingRun training;

    /** Beans before other post-processors replaced them by proxies. */
    private final Map<String, DataSource> originals = new ConcurrentHashMap<>();

    DataSourceWrapper(Supplier<ReplicatedDatabases> databases, TrainingRun training) {
        this.databases = databases;
        this.training = training;
    }

    @Override
    public @Nullable Object postProcessBeforeInitialization(Object bean, String beanName) {
        if (training.isActive()) {
            if (bean instanceof DataSource dataSource && !(bean instanceof ReadOnlyDataSource)) {
                replaceBelow(beanName, dataSource);
            }
            return bean;
        }
        if (bean instanceof DataSource dataSource) {
            originals.put(beanName, dataSource);
            if (!isSeen(dataSource)) {
                databases
                        .get()
                        .of(DataSourceBeans.name(beanName), dataSource)
                        .ifPresent(database -> installBelow(dataSource, database));
            }
        }
        return bean;
    }

    private static boolean installBelow(DataSource dataSource, ManagedDatabase database) {
        return HIKARI
                && HikariPools.pool(dataSource)
                        .filter(pool -> HikariPools.install(pool, database))
                        .isPresent();
    }

    @Override
    public @Nullable Object postProcessAfterInitialization(Object bean, String beanName) {
        if (training.isActive()) {
            return bean instanceof DataSource dataSource && !(bean instanceof ReadOnlyDataSource)
                    ? inTraining(beanName, dataSource)
                    : bean;
        }
        DataSource original = originals.remove(beanName);
        if (!(bean instanceof DataSource dataSource)
                || bean instanceof ReadOnlyDataSource
                || DataSourceBeans.isScopedTarget(
                        beanName) // its proxy is a bean, too, and may require the target's class
                || isSeen(dataSource)) {
            return bean;
        }
        if (bean instanceof AbstractRoutingDataSource routing) {
            RoutingTargets.replace(routing, target -> seen(beanName, target, target));
            return bean;
        }
        DataSource telling = original == null || DataSourceUrls.url(dataSource).isPresent() ? dataSource : original;
        if (isSeen(telling)) {
            return bean; // a proxy that does not unwrap; the engine is below its pool
        }
        DataSource seen = seen(beanName, dataSource, telling);
        if (seen == dataSource && !isSeen(telling)) {
            databases.get().tellUnreplicated(beanName, telling);
        }
        return seen;
    }

    /** Replaces the database of a pool before anything can make the pool connect. */
    private void replaceBelow(String beanName, DataSource dataSource) {
        if (HIKARI && HikariPools.pool(dataSource).isPresent()) {
            databases.get().inTraining(beanName, dataSource).ifPresent(memory -> replaceBelow(dataSource, memory));
        }
    }

    /** Returns false if the {@code DataSource} is not a pool that can still be changed. */
    private static boolean replaceBelow(DataSource dataSource, DataSource memory) {
        return HIKARI
                && HikariPools.pool(dataSource)
                        .filter(pool -> HikariPools.replace(pool, memory))
                        .isPresent();
    }

    /** Replaces the database of a pool or of another {@code DataSource} by an empty one in memory. */
    private DataSource inTraining(String beanName, DataSource dataSource) {
        if (dataSource instanceof AbstractRoutingDataSource routing) {
            RoutingTargets.replace(routing, target -> inTraining(beanName, target));
            return dataSource;
        }
        DataSource memory = databases.get().inTraining(beanName, dataSource).orElse(null);
        if (memory == null || replaceBelow(dataSource, memory)) {
            return dataSource;
        }
        return new DelegatingDataSource(memory);
    }

    /**
     * Wraps a {@code DataSource} that is not a bean.
     *
     * @throws IllegalArgumentException if its database is not replicated
     */
    DataSource replicated(DataSource dataSource) {
        if (training.isActive()) {
            return inTraining("", dataSource);
        }
        DataSource seen = seen(dataSource.getClass().getSimpleName(), dataSource, dataSource);
        if (!isSeen(seen)) {
            throw new IllegalArgumentException(
                    "the database of " + dataSource.getClass().getName() + " is not one of litestream.databases");
        }
        return seen;
    }

    /**
     * Returns a {@code DataSource} whose connections the engine sees: the given one, or its replacement.
     *
     * @param telling the same {@code DataSource}, or its target that identifies the database
     */
    private DataSource seen(String name, DataSource dataSource, DataSource telling) {
        if (isSeen(dataSource)) {
            return dataSource;
        }
        Optional<ManagedDatabase> database = databases.get().of(name, telling);
        if (database.isEmpty() || installBelow(telling, database.get())) {
            return dataSource;
        }
        LOG.debug("DataSource wrapped: db={} bean={}", database.get().name(), name);
        return ReplicatedDataSource.of(database.get(), dataSource);
    }

    /** Returns whether the engine sees the connections of a {@code DataSource}. */
    static boolean isSeen(DataSource dataSource) {
        return DataSourceChain.replicated(dataSource).isPresent();
    }
}
