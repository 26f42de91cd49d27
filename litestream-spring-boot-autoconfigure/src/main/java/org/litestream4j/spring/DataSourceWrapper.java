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
        if (HIKARI && bean instanceof DataSource dataSource) {
            HikariPools.pool(dataSource)
                    .filter(pool -> !HikariPools.isInstalled(pool))
                    .ifPresent(pool -> HikariPools.url(pool)
                            .flatMap(this::forUrl)
                            .ifPresent(database -> HikariPools.install(pool, database)));
        }
        return bean;
    }

    @Override
    public @Nullable Object postProcessAfterInitialization(Object bean, String beanName) {
        if (!(bean instanceof DataSource dataSource) || isSeen(dataSource)) {
            return bean;
        }
        Optional<ManagedDatabase> database = DataSourceUrls.url(dataSource).flatMap(this::forUrl);
        if (database.isEmpty()) {
            return bean;
        }
        LOG.debug(
                "In front of the DataSource {} of db={}",
                beanName,
                database.get().name());
        return new ReplicatedDataSource(database.get(), dataSource);
    }

    /** Whether the engine sees its connections. */
    static boolean isSeen(DataSource dataSource) {
        @Nullable DataSource next = dataSource;
        while (next instanceof DelegatingDataSource delegating && !(next instanceof ReplicatedDataSource)) {
            next = delegating.getTargetDataSource();
        }
        return next instanceof ReplicatedDataSource || (HIKARI && HikariPools.isInstalled(dataSource));
    }

    private Optional<ManagedDatabase> forUrl(String url) {
        return databases.get().forUrl(url);
    }
}
