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

    /** Beans as they were before other post-processors put a proxy in front of them. */
    private final Map<String, DataSource> originals = new ConcurrentHashMap<>();

    DataSourceWrapper(Supplier<ReplicatedDatabases> databases) {
        this.databases = databases;
    }

    @Override
    public @Nullable Object postProcessBeforeInitialization(Object bean, String beanName) {
        if (bean instanceof DataSource dataSource) {
            originals.put(beanName, dataSource);
            if (!isSeen(dataSource)) {
                databases.get().of(beanName, dataSource).ifPresent(database -> installBelow(dataSource, database));
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
        DataSource original = originals.remove(beanName);
        if (!(bean instanceof DataSource dataSource) || isSeen(dataSource)) {
            return bean;
        }
        if (bean instanceof AbstractRoutingDataSource routing) {
            RoutingTargets.replace(routing, target -> seen(beanName, target, target));
            return bean;
        }
        boolean tells = original == null || DataSourceUrls.url(dataSource).isPresent();
        DataSource telling = tells ? dataSource : original;
        if (isSeen(telling)) {
            return bean; // a proxy that does not unwrap, in front of a pool that has the engine below it
        }
        DataSource seen = seen(beanName, dataSource, telling);
        if (seen == dataSource && !isSeen(telling)) {
            databases.get().tellUnreplicated(beanName, telling);
        }
        return seen;
    }

    /**
     * The same for one that is no bean.
     *
     * @throws IllegalArgumentException if its database is not replicated
     */
    DataSource replicated(DataSource dataSource) {
        DataSource seen = seen(dataSource.getClass().getSimpleName(), dataSource, dataSource);
        if (!isSeen(seen)) {
            throw new IllegalArgumentException(
                    "the database of " + dataSource.getClass().getName() + " is not one of litestream.databases");
        }
        return seen;
    }

    /**
     * The same, or what is to be used in its place, so that the engine sees its connections.
     *
     * @param telling the same, or what stands behind it and tells the database
     */
    private DataSource seen(String name, DataSource dataSource, DataSource telling) {
        if (isSeen(dataSource)) {
            return dataSource;
        }
        Optional<ManagedDatabase> database = databases.get().of(name, telling);
        if (database.isEmpty() || installBelow(telling, database.get())) {
            return dataSource;
        }
        LOG.debug("DataSource wrapped: bean={} db={}", name, database.get().name());
        return ReplicatedDataSource.of(database.get(), dataSource);
    }

    /** Whether the engine sees its connections. */
    static boolean isSeen(DataSource dataSource) {
        return DataSourceChain.replicated(dataSource).isPresent();
    }
}
