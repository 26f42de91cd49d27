package org.litestream4j.spring.drill;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.ZoneId;
import org.litestream4j.Litestream;
import org.litestream4j.drill.RestoreDrillCheck;
import org.litestream4j.spring.LitestreamAutoConfiguration;
import org.litestream4j.spring.LitestreamProperties;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;

/** Auto-configuration of restore drills. */
@AutoConfiguration(after = LitestreamAutoConfiguration.class)
@ConditionalOnBooleanProperty(name = "litestream.enabled", matchIfMissing = true)
@ConditionalOnBean({Litestream.class, LitestreamProperties.class})
public final class LitestreamDrillAutoConfiguration {

    /** Destroyed before the engine, which it uses. Not lazy: no other bean requests it. */
    @Bean(destroyMethod = "close")
    @ConditionalOnMissingBean
    @Lazy(false)
    RestoreDrills litestreamRestoreDrills(
            Litestream litestream, LitestreamProperties properties, ObjectProvider<RestoreDrillCheck> checks) {
        return new RestoreDrills(
                litestream, properties.drill(), checks.orderedStream().toList(), Clock.system(ZoneId.systemDefault()));
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(MeterRegistry.class)
    @ConditionalOnBooleanProperty("litestream.drill.enabled")
    static class MetricsConfiguration {

        @Bean
        DrillMeters litestreamDrillMeters(ObjectProvider<RestoreDrills> drills) {
            return new DrillMeters(drills::getObject, Clock.systemUTC());
        }
    }
}
