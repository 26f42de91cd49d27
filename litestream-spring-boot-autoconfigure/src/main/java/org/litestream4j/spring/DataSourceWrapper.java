package org.litestream4j.spring;

import java.util.Optional;
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
 * Puts a {@link ReplicatedDataSource} below each HikariCP pool of a replicated database, before it opens its first
 * connection; where that is too late, and for other pools, in front of it. Unordered, so that it comes last and sees the
 * settings that others applied.
 */
final class DataSourceWrapper implements BeanPostProcessor {

    private static final Logger LOG = LoggerFactory.getLogger(DataSourceWrapper.class);
    private static final boolean HIKARI = ClassUtils.isPresent("com.zaxxer.hikari.HikariDataSource", null);

    private final Supplier<ReplicatedDatabases> databases;

    DataSourceWrapper(Supplier<ReplicatedDatabases> databases) {
        this.databases = databases;
    }

    @Override
    public @Nullable Object postProcessBeforeInitialization(Object bean, String beanName) {
        if (bean instanceof DataSource dataSource && !isSeen(dataSource)) {
            databases.get().of(beanName, dataSource).ifPresent(database -> installBelow(dataSource, database));
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
        if (!(bean instanceof DataSource dataSource) || isSeen(dataSource)) {
            return bean;
        }
        if (bean instanceof AbstractRoutingDataSource routing) {
            RoutingTargets.replace(routing, target -> seen(beanName, target));
            return bean;
        }
        DataSource seen = seen(beanName, dataSource);
        if (seen == dataSource && !isSeen(dataSource)) {
            databases.get().tellUnreplicated(beanName, dataSource);
        }
        return seen;
    }

    /**
     * The same for one that is no bean.
     *
     * @throws IllegalArgumentException if its database is not replicated
     */
    DataSource replicated(DataSource dataSource) {
        DataSource seen = seen(dataSource.getClass().getSimpleName(), dataSource);
        if (!isSeen(seen)) {
            throw new IllegalArgumentException(
                    "the database of " + dataSource.getClass().getName() + " is not one of litestream.databases");
        }
        return seen;
    }

    /** The same, or what is to be used in its place, so that the engine sees its connections. */
    private DataSource seen(String name, DataSource dataSource) {
        if (isSeen(dataSource)) {
            return dataSource;
        }
        Optional<ManagedDatabase> database = databases.get().of(name, dataSource);
        if (database.isEmpty() || installBelow(dataSource, database.get())) {
            return dataSource;
        }
        LOG.debug("In front of the DataSource {} of db={}", name, database.get().name());
        return ReplicatedDataSource.of(database.get(), dataSource);
    }

    /** Whether the engine sees its connections. */
    static boolean isSeen(DataSource dataSource) {
        @Nullable DataSource next = dataSource;
        while (next instanceof DelegatingDataSource delegating && !(next instanceof ReplicatedDataSource)) {
            next = delegating.getTargetDataSource();
        }
        return next instanceof ReplicatedDataSource || (HIKARI && HikariPools.isInstalled(dataSource));
    }
}
