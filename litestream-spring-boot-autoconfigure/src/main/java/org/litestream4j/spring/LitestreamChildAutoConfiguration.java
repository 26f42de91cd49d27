package org.litestream4j.spring;

import org.litestream4j.spring.LitestreamAutoConfiguration.DataSourcesDependOnReplicatedDatabases;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Import;

/**
 * Connects the {@code DataSource} beans of a context to the engine of a context above it. Bean post-processors apply
 * only to the beans of their own context: without these beans, commits would be noticed late and would not wait, and a
 * {@code DataSource} of another file would not be refused.
 */
@AutoConfiguration
@Conditional({OnLitestreamEnabled.class, OnNoParentWithLitestream.Inverse.class})
@Import({BeforeMigrationConfiguration.class, TrainingRun.class})
public final class LitestreamChildAutoConfiguration {

    @Bean
    static DataSourceWrapper litestreamChildDataSourceWrapper(
            ObjectProvider<ReplicatedDatabases> databases, TrainingRun training) {
        return new DataSourceWrapper(databases::getObject, training);
    }

    @Bean
    UnseenDataSources litestreamChildUnseenDataSources(
            ConfigurableListableBeanFactory beanFactory,
            ObjectProvider<ReplicatedDatabases> databases,
            TrainingRun training) {
        return new UnseenDataSources(beanFactory, databases::getObject, training);
    }

    @Bean
    static DataSourcesDependOnReplicatedDatabases litestreamChildDataSourcesDependOnReplicatedDatabases() {
        return new DataSourcesDependOnReplicatedDatabases();
    }
}
