package org.litestream4j.spring.actuate;

import org.litestream4j.Litestream;
import org.litestream4j.spring.LitestreamAutoConfiguration;
import org.litestream4j.spring.LitestreamProperties;
import org.litestream4j.spring.drill.RestoreDrills;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.context.annotation.Bean;

/** Auto-configuration of the health of replication. */
@AutoConfiguration(
        after = LitestreamAutoConfiguration.class,
        beforeName = "org.springframework.boot.health.autoconfigure.contributor.HealthContributorAutoConfiguration")
@ConditionalOnClass(ConditionalOnEnabledHealthIndicator.class)
@ConditionalOnBooleanProperty(name = "litestream.enabled", matchIfMissing = true)
@ConditionalOnBean({Litestream.class, LitestreamProperties.class})
@ConditionalOnEnabledHealthIndicator("litestream")
public final class LitestreamHealthAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean(name = "litestreamHealthIndicator")
    LitestreamHealthIndicator litestreamHealthIndicator(
            Litestream litestream, LitestreamProperties properties, ObjectProvider<RestoreDrills> drills) {
        return new LitestreamHealthIndicator(
                () -> litestream.databases().stream()
                        .map(database -> ObservedDatabase.of(database, drills.getIfAvailable()))
                        .toList(),
                properties.health());
    }
}
