package org.litestream4j.spring.readreplica;

import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.BeanDefinitionRegistryPostProcessor;
import org.springframework.core.env.Environment;

/** Removes Spring Boot's initializers of the database if read replicas are the only {@code DataSource} beans. */
final class NoMigrations implements BeanDefinitionRegistryPostProcessor {

    private static final Logger LOG = LoggerFactory.getLogger(NoMigrations.class);

    /** Beans of Spring Boot that change the schema of the application's only {@code DataSource}. */
    private static final List<String> INITIALIZERS =
            List.of("flywayInitializer", "liquibase", "dataSourceScriptDatabaseInitializer");

    /** Settings that give an initializer a database of its own. */
    private static final Map<String, String> OWN_URLS =
            Map.of("flywayInitializer", "spring.flyway.url", "liquibase", "spring.liquibase.url");

    private final Environment environment;

    NoMigrations(Environment environment) {
        this.environment = environment;
    }

    @Override
    public void postProcessBeanDefinitionRegistry(BeanDefinitionRegistry registry) {
        if (!(registry instanceof ConfigurableListableBeanFactory factory) || !readsOnly(factory)) {
            return;
        }
        for (String name : INITIALIZERS) {
            if (registry.containsBeanDefinition(name) && !hasOwnDatabase(name)) {
                registry.removeBeanDefinition(name);
                LOG.info("no migrations run, because read replicas are the only DataSource: bean={}", name);
            }
        }
    }

    private boolean hasOwnDatabase(String initializer) {
        String url = OWN_URLS.get(initializer);
        return url != null && environment.containsProperty(url);
    }

    private static boolean readsOnly(ConfigurableListableBeanFactory factory) {
        for (String name : factory.getBeanNamesForType(DataSource.class, true, false)) {
            String type = factory.containsBeanDefinition(name)
                    ? factory.getBeanDefinition(name).getBeanClassName()
                    : null;
            if (!ReadReplicaDataSourceFactory.class.getName().equals(type)) {
                return false;
            }
        }
        return true;
    }
}
