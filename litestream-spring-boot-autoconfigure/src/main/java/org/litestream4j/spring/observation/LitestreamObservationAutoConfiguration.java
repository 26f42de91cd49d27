package org.litestream4j.spring.observation;

import io.micrometer.core.instrument.observation.MeterObservationHandler;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import org.litestream4j.Litestream;
import org.litestream4j.spring.LitestreamAutoConfiguration;
import org.springframework.beans.BeansException;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/** Auto-configuration of the observations of replication, if there is an {@link ObservationRegistry}. */
@AutoConfiguration(
        after = LitestreamAutoConfiguration.class,
        afterName = {
            "org.springframework.boot.micrometer.observation.autoconfigure.ObservationAutoConfiguration",
            "org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration"
        })
@ConditionalOnClass(ObservationRegistry.class)
@ConditionalOnBooleanProperty(name = "litestream.enabled", matchIfMissing = true)
@ConditionalOnBean({Litestream.class, ObservationRegistry.class})
public final class LitestreamObservationAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean
    LitestreamObservations litestreamObservations(ObjectProvider<ObservationRegistry> registry) {
        LitestreamObservations observations = new LitestreamObservations();
        try {
            registry.ifUnique(observations::use);
        } catch (BeansException e) {
            // A handler of the registry may use a database, which is restored first: the registry is set after the last
            // singleton.
        }
        return observations;
    }

    @Bean
    SmartInitializingSingleton litestreamObservationRegistry(
            LitestreamObservations observations, ObjectProvider<ObservationRegistry> registry) {
        return () -> registry.ifUnique(observations::use);
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(MeterObservationHandler.class)
    static class MeterConfiguration {

        /** Ordered before the handler that would create meters, which exist already. */
        @Bean
        @Order(Ordered.HIGHEST_PRECEDENCE)
        Unmetered litestreamUnmeteredObservations() {
            return new Unmetered();
        }
    }

    /**
     * Handler that creates no meters. Of the handlers that create meters from observations, the first one that supports
     * an observation gets it.
     */
    static final class Unmetered implements MeterObservationHandler<LitestreamObservationContext> {

        @Override
        public boolean supportsContext(Observation.Context context) {
            return context instanceof LitestreamObservationContext;
        }
    }
}
