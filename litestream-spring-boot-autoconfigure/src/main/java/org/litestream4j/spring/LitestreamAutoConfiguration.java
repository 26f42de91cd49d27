package org.litestream4j.spring;

import java.util.Optional;
import javax.sql.DataSource;
import org.litestream4j.Litestream;
import org.litestream4j.LitestreamListener;
import org.litestream4j.replica.ReplicaProvider;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AbstractDependsOnBeanFactoryPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Lazy;
import org.springframework.context.annotation.Role;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Restores and replicates the application's SQLite databases. Restore and engine start before the first connection, and
 * the final flush follows the last: every {@code DataSource} definition depends on {@link ReplicatedDatabases}, and
 * {@link ReplicatedDatabasesDetector} orders it before every database initializer, including those with a
 * {@code DataSource} of their own. In a hierarchy of contexts, the context nearest to the root defines the beans, and
 * the others use them.
 */
@AutoConfiguration
@Conditional({OnLitestreamEnabled.class, OnNoParentWithLitestream.class})
@EnableConfigurationProperties(LitestreamProperties.class)
@Import({BeforeMigrationConfiguration.class, TrainingRun.class})
public final class LitestreamAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean
    Litestream litestream(
            ObjectProvider<LitestreamListener> listeners,
            ObjectProvider<ReplicaProvider> providers,
            Environment environment) {
        // Before the settings are bound, because errors of binding lists contain values.
        UnknownSettings.refuse(ConfigurationPropertySources.get(environment));
        Litestream.Builder builder = Litestream.builder().optionNames(SettingNames.INSTANCE);
        providers.orderedStream().forEach(builder::replicaProvider);
        listeners.orderedStream().forEach(builder::listener);
        return builder.build();
    }

    @Bean
    EventPublisher litestreamEventPublisher(ConfigurableApplicationContext context) {
        return new EventPublisher(context);
    }

    @Bean
    MaintenanceLifecycle litestreamMaintenanceLifecycle(Litestream litestream) {
        return new MaintenanceLifecycle(litestream);
    }

    @Bean
    @ConditionalOnMissingBean
    LitestreamConnectionDetails litestreamConnectionDetails(LitestreamProperties properties) {
        return new PropertiesLitestreamConnectionDetails(properties.replica());
    }

    /** Not lazy: for databases without a {@code DataSource}, no other bean requests it. */
    @Bean
    @Lazy(false)
    ReplicatedDatabases litestreamReplicatedDatabases(
            Litestream litestream,
            LitestreamProperties properties,
            ApplicationDatabase application,
            ConfigurableListableBeanFactory beanFactory,
            Environment environment,
            TrainingRun training) {
        UnknownSettings.refuse(ConfigurationPropertySources.get(environment));
        return new ReplicatedDatabases(
                litestream,
                properties,
                application,
                SeveralConnectionDetails.of(beanFactory),
                DataSourceBeans.of(beanFactory),
                training);
    }

    @Bean
    static DataSourceWrapper litestreamDataSourceWrapper(
            ObjectProvider<ReplicatedDatabases> databases, TrainingRun training) {
        return new DataSourceWrapper(databases::getObject, training);
    }

    @Bean
    @ConditionalOnMissingBean
    LitestreamOperations litestreamOperations(Litestream litestream, DataSourceWrapper wrapper) {
        return new DefaultLitestreamOperations(litestream, wrapper::replicated);
    }

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static TransactionLabels litestreamTransactionLabels() {
        return new TransactionLabels();
    }

    @Bean
    UnseenDataSources litestreamUnseenDataSources(
            ConfigurableListableBeanFactory beanFactory,
            ObjectProvider<ReplicatedDatabases> databases,
            TrainingRun training) {
        return new UnseenDataSources(beanFactory, databases::getObject, training);
    }

    @Bean
    static DataSourcesDependOnReplicatedDatabases litestreamDataSourcesDependOnReplicatedDatabases() {
        return new DataSourcesDependOnReplicatedDatabases();
    }

    @Bean
    @ConditionalOnMissingBean
    ApplicationDatabase litestreamApplicationDatabase(Environment environment) {
        return () -> ConfiguredUrl.of(environment, null);
    }

    /**
     * Connection details of a container override the settings, as they do for the pool; connection details derived from
     * the settings do not.
     */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(JdbcConnectionDetails.class)
    static class ConnectionDetailsConfiguration {

        private static final String OF_SETTINGS =
                "org.springframework.boot.jdbc.autoconfigure.PropertiesJdbcConnectionDetails";

        @Bean
        ApplicationDatabase litestreamApplicationDatabase(
                Environment environment, ObjectProvider<JdbcConnectionDetails> connectionDetails) {
            return () -> {
                JdbcConnectionDetails details = connectionDetails.getIfUnique();
                return details == null || details.getClass().getName().equals(OF_SETTINGS)
                        ? ConfiguredUrl.of(environment, details == null ? null : details.getJdbcUrl())
                        : Optional.ofNullable(details.getJdbcUrl());
            };
        }
    }

    /** Client and credentials of the application, with lower precedence than its own {@link ReplicaProvider} beans. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(S3Client.class)
    static class S3Configuration {

        @Bean
        @Order(Ordered.LOWEST_PRECEDENCE)
        ReplicaProvider litestreamS3ReplicaProvider(
                ObjectProvider<S3Client> clients, ObjectProvider<AwsCredentialsProvider> credentials) {
            return new S3BeansProvider(clients, credentials);
        }
    }

    static final class DataSourcesDependOnReplicatedDatabases extends AbstractDependsOnBeanFactoryPostProcessor {

        DataSourcesDependOnReplicatedDatabases() {
            super(DataSource.class, ReplicatedDatabases.class);
        }
    }
}
