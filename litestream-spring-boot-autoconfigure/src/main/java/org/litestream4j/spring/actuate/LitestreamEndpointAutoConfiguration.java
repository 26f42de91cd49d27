package org.litestream4j.spring.actuate;

import org.litestream4j.Litestream;
import org.litestream4j.spring.LitestreamAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** The actuator endpoint {@code litestream}. */
@AutoConfiguration(after = LitestreamAutoConfiguration.class)
@ConditionalOnClass(ConditionalOnAvailableEndpoint.class)
@ConditionalOnBean(Litestream.class)
@ConditionalOnAvailableEndpoint(LitestreamEndpoint.class)
public final class LitestreamEndpointAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean
    LitestreamEndpoint litestreamEndpoint(Litestream litestream) {
        return new LitestreamEndpoint(litestream);
    }
}
