package org.litestream4j.spring.readreplica;

import java.util.List;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.BeanDefinitionRegistryPostProcessor;

/** Removes Spring Boot's initializers of the database if read replicas are the only {@code DataSource} beans. */
final class NoMigrations implements BeanDefinitionRegistryPostProcessor {

    private static final Logger LOG = LoggerFactory.getLogger(NoMigrations.class);

    /** Beans of Spring Boot that change the schema of the application's only {@code DataSource}. */
    private static final List<String> INITIALIZERS =
            List.of("flywayInitializer", "liquibase", "dataSourceScriptDatabaseInitializer");

    @Override
    public void postProcessBeanDefinitionRegistry(BeanDefinitionRegistry registry) {
        if (!(registry instanceof ConfigurableListableBeanFactory factory) || !readsOnly(factory)) {
            return;
        }
        for (String name : INITIALIZERS) {
            if (registry.containsBeanDefinition(name)) {
                registry.removeBeanDefinition(name);
                LOG.info("no migrations run, because read replicas are the only DataSource: bean={}", name);
            }
        }
    }

    private static boolean readsOnly(ConfigurableListableBeanFactory factory) {
        for (String name : factory.getBeanNamesForType(DataSource.class, true, false)) {
            if (!ReadReplicaDataSourceFactory.class
                    .getName()
                    .equals(factory.getBeanDefinition(name).getBeanClassName())) {
                return false;
            }
        }
        return true;
    }
}
