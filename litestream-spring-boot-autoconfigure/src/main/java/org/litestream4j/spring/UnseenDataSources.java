package org.litestream4j.spring;

import java.util.function.Supplier;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;

/** Warns of each {@code DataSource} that was created before {@link DataSourceWrapper} could process it. */
final class UnseenDataSources implements SmartInitializingSingleton {

    private static final Logger LOG = LoggerFactory.getLogger(UnseenDataSources.class);

    private final ConfigurableListableBeanFactory beanFactory;
    private final Supplier<ReplicatedDatabases> databases;
    private final TrainingRun training;

    UnseenDataSources(
            ConfigurableListableBeanFactory beanFactory,
            Supplier<ReplicatedDatabases> databases,
            TrainingRun training) {
        this.beanFactory = beanFactory;
        this.databases = databases;
        this.training = training;
    }

    @Override
    public void afterSingletonsInstantiated() {
        if (training.isActive()) {
            return;
        }
        for (String name : beanFactory.getBeanNamesForType(DataSource.class, false, false)) {
            if (beanFactory.getSingleton(name) instanceof DataSource dataSource
                    && !(dataSource instanceof ReadOnlyDataSource)
                    && !DataSourceBeans.isScopedTarget(name) // its proxy is a bean, too
                    && !DataSourceWrapper.isSeen(dataSource)) {
                databases.get().check(name, dataSource);
                refuseUnregistered(name, dataSource);
                DataSourceUrls.url(dataSource)
                        .flatMap(url -> databases.get().forUrl(url))
                        .ifPresent(unseen -> warn(name, unseen.name()));
            }
        }
    }

    /** Rejects a {@code DataSource} whose database could not be restored in time. */
    private void refuseUnregistered(String bean, DataSource dataSource) {
        boolean registered = DataSourceUrls.url(dataSource)
                .flatMap(url -> databases.get().forUrl(url))
                .isPresent();
        if (!registered
                && databases.get().beans().contains(bean)
                && DataSourceUrls.url(dataSource).filter(SqliteUrl::isSqlite).isPresent()) {
            throw new LitestreamSettingException(
                    "The DataSource \"" + bean + "\" was created too early to be replicated.",
                    "Set litestream.databases.<name>.path, or do not open it from a bean post-processor.");
        }
    }

    private static void warn(String bean, String database) {
        LOG.warn(
                "DataSource was created too early to be wrapped: db={} bean={}. Its commits are noticed late,"
                        + " and its connections"
                        + " checkpoint by themselves, which makes writing slow; do not open it from a bean post-processor, or"
                        + " set wal_autocheckpoint=0 in its URL",
                database,
                bean);
    }
}
