package org.litestream4j.spring.readreplica;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Map;
import org.litestream4j.readreplica.ReadReplica;
import org.litestream4j.spring.LitestreamProperties;
import org.litestream4j.spring.TrainingRun;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.CompositeHealthContributor;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.Environment;

/**
 * Auto-configuration of read replicas. Before Spring Boot decides on its own {@code DataSource}, so that a read replica
 * can be the only one.
 */
@AutoConfiguration(
        beforeName = {
            "org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration",
            "org.springframework.boot.health.autoconfigure.contributor.HealthContributorAutoConfiguration"
        })
@Conditional(OnReadReplicas.class)
@EnableConfigurationProperties(LitestreamProperties.class)
@Import({ReadReplicaRegistrar.class, TrainingRun.class})
public final class ReadReplicaAutoConfiguration {

    @Bean
    static NoMigrations litestreamNoMigrationsOfReadReplicas(Environment environment) {
        return new NoMigrations(environment);
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(ConditionalOnEnabledHealthIndicator.class)
    @ConditionalOnEnabledHealthIndicator("litestream-read-replicas")
    static class HealthConfiguration {

        @Bean
        @ConditionalOnMissingBean(name = "litestreamReadReplicasHealthContributor")
        CompositeHealthContributor litestreamReadReplicasHealthContributor(
                Map<String, ReadReplica> replicas, LitestreamProperties properties) {
            return ReadReplicaHealth.of(ReadReplicaRegistrar.byEntry(replicas), properties.readReplicas());
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(MeterRegistry.class)
    static class MetricsConfiguration {

        @Bean
        MeterBinder litestreamReadReplicaMetrics(Map<String, ReadReplica> replicas) {
            return registry -> ReadReplicaRegistrar.byEntry(replicas)
                    .forEach((name, replica) -> ReadReplicaMeters.register(registry, name, replica));
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(ConditionalOnAvailableEndpoint.class)
    @ConditionalOnAvailableEndpoint(ReadReplicasEndpoint.class)
    static class EndpointConfiguration {

        @Bean
        @ConditionalOnMissingBean
        ReadReplicasEndpoint litestreamReadReplicasEndpoint(Map<String, ReadReplica> replicas) {
            return new ReadReplicasEndpoint(ReadReplicaRegistrar.byEntry(replicas));
        }
    }
}
