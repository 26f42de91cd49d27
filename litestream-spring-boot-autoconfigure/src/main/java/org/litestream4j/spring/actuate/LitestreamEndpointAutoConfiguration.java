package org.litestream4j.spring.actuate;

import java.nio.file.Path;
import java.time.Clock;
import java.util.function.UnaryOperator;
import org.litestream4j.Litestream;
import org.litestream4j.spring.LitestreamAutoConfiguration;
import org.litestream4j.spring.LitestreamProperties;
import org.litestream4j.spring.drill.RestoreDrills;
import org.litestream4j.spring.observation.LitestreamObservations;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.actuate.endpoint.EndpointId;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** Auto-configuration of the actuator endpoint {@code litestream}. */
@AutoConfiguration(after = LitestreamAutoConfiguration.class)
@ConditionalOnClass(ConditionalOnAvailableEndpoint.class)
@ConditionalOnBooleanProperty(name = "litestream.enabled", matchIfMissing = true)
@ConditionalOnBean({Litestream.class, LitestreamProperties.class})
@ConditionalOnAvailableEndpoint(LitestreamEndpoint.class)
public final class LitestreamEndpointAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean
    LitestreamEndpoint litestreamEndpoint(
            Litestream litestream,
            Restores restores,
            ObjectProvider<RestoreDrills> drills,
            LitestreamProperties properties) {
        LitestreamProperties.Restore settings = properties.restore();
        String directory = settings.directory();
        RestoreFolder folder = new RestoreFolder(
                directory == null ? null : Path.of(directory).toAbsolutePath(),
                settings.directorySize().toBytes(),
                litestream);
        return new LitestreamEndpoint(
                litestream, restores, folder, drills.getIfAvailable(), settings.integrityCheck(), Clock.systemUTC());
    }

    /** Destroyed before the engine, which it uses. */
    @Bean(destroyMethod = "close")
    @ConditionalOnMissingBean
    Restores litestreamRestores(
            Litestream litestream,
            LitestreamProperties properties,
            ObjectProvider<LitestreamObservations> observations) {
        LitestreamObservations observed = observations.getIfAvailable();
        return new Restores(
                properties.restore().parallelism(),
                Clock.systemUTC(),
                observed == null ? UnaryOperator.identity() : observed::continued);
    }

    @Bean
    static Problems litestreamEndpointProblems() {
        return new Problems(EndpointId.of("litestream"));
    }
}
