package org.litestream4j.spring.actuate;

import org.litestream4j.Litestream;
import org.litestream4j.spring.LitestreamAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.info.ConditionalOnEnabledInfoContributor;
import org.springframework.boot.actuate.autoconfigure.info.InfoContributorFallback;
import org.springframework.boot.actuate.info.InfoContributor;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/**
 * Auto-configuration of the replication details in {@code /actuator/info}. Off by default, because the addresses of
 * replicas reveal details of the environment.
 */
@AutoConfiguration(after = LitestreamAutoConfiguration.class)
@ConditionalOnClass({InfoContributor.class, ConditionalOnEnabledInfoContributor.class})
@ConditionalOnBooleanProperty(name = "litestream.enabled", matchIfMissing = true)
@ConditionalOnBean(Litestream.class)
@ConditionalOnEnabledInfoContributor(value = "litestream", fallback = InfoContributorFallback.DISABLE)
public final class LitestreamInfoAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean(name = "litestreamInfoContributor")
    LitestreamInfoContributor litestreamInfoContributor(Litestream litestream) {
        return new LitestreamInfoContributor(litestream);
    }
}
