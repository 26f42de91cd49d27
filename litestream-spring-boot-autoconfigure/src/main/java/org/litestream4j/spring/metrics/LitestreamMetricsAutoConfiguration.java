package org.litestream4j.spring.metrics;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import org.litestream4j.Litestream;
import org.litestream4j.spring.LitestreamAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** Auto-configuration of the metrics of replication, if there is a {@link MeterRegistry}. */
@AutoConfiguration(
        after = LitestreamAutoConfiguration.class,
        afterName = {
            "org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration",
            "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration"
        })
@ConditionalOnClass(MeterRegistry.class)
@ConditionalOnBooleanProperty(name = "litestream.enabled", matchIfMissing = true)
@ConditionalOnBean({Litestream.class, MeterRegistry.class})
public final class LitestreamMetricsAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean
    LitestreamMetrics litestreamMetrics() {
        return new LitestreamMetrics(Clock.systemUTC());
    }
}
