package org.litestream4j.spring;

import com.zaxxer.hikari.HikariDataSource;
import javax.sql.DataSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.boot.jdbc.autoconfigure.DataSourceProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.core.Ordered;
import org.springframework.core.PriorityOrdered;
import org.springframework.core.env.Environment;

/** Two databases with settings of their own names, none of Spring Boot's. */
@Configuration(proxyBeanMethods = false)
class TwoDataSources {
    @Bean
    static BeanPostProcessor properties(Environment environment) {
        return new PropertiesBinding(environment);
    }

    @Bean
    @Primary
    HikariDataSource orders() {
        return DataSourceBuilder.create().type(HikariDataSource.class).build();
    }

    @Bean
    DataSourceProperties auditProperties() {
        return new DataSourceProperties();
    }

    @Bean
    DataSource audit(@Qualifier("auditProperties") DataSourceProperties properties) {
        return properties.initializeDataSourceBuilder().build();
    }

    /**
     * What {@code @ConfigurationProperties("app.orders")} and {@code ("app.audit")} on the beans do, when they do it; the annotation
     * itself would write metadata of the tests over those of the starter.
     */
    private record PropertiesBinding(Environment environment) implements BeanPostProcessor, PriorityOrdered {
        @Override
        public Object postProcessBeforeInitialization(Object bean, String name) {
            if (name.equals("orders") || name.equals("auditProperties")) {
                Binder.get(environment).bind("app." + name.replace("Properties", ""), Bindable.ofInstance(bean));
            }
            return bean;
        }

        @Override
        public int getOrder() {
            return Ordered.HIGHEST_PRECEDENCE + 1;
        }
    }
}
