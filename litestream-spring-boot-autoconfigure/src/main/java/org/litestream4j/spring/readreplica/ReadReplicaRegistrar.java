package org.litestream4j.spring.readreplica;

import java.util.Map;
import java.util.Set;
import javax.sql.DataSource;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.config.RuntimeBeanReference;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.BeanNameGenerator;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.ImportBeanDefinitionRegistrar;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotationMetadata;

/**
 * Registers two beans for each entry: the {@code DataSource} under the name of the entry, and the
 * {@link org.litestream4j.readreplica.ReadReplica} under the same name with the suffix {@code ReadReplica}. The
 * {@code DataSource} is a default candidate only if the application has no other, so that the application's own stays the
 * one that is injected without a qualifier.
 */
final class ReadReplicaRegistrar implements ImportBeanDefinitionRegistrar {

    static final String SUFFIX = "ReadReplica";

    private final Environment environment;
    private final BeanFactory beanFactory;

    ReadReplicaRegistrar(Environment environment, BeanFactory beanFactory) {
        this.environment = environment;
        this.beanFactory = beanFactory;
    }

    /** Returns the names of the entries. */
    static Set<String> names(Environment environment) {
        return Binder.get(environment)
                .bind("litestream.read-replicas", Bindable.mapOf(String.class, Object.class))
                .map(Map::keySet)
                .orElse(Set.of());
    }

    @Override
    public void registerBeanDefinitions(
            AnnotationMetadata metadata, BeanDefinitionRegistry registry, BeanNameGenerator generator) {
        boolean alone = !hasOtherDataSource();
        for (String name : names(environment)) {
            RootBeanDefinition replica = new RootBeanDefinition(ReadReplicaFactory.class);
            replica.getConstructorArgumentValues().addIndexedArgumentValue(0, name);
            replica.setAutowireMode(RootBeanDefinition.AUTOWIRE_CONSTRUCTOR);
            registry.registerBeanDefinition(name + SUFFIX, replica);

            RootBeanDefinition dataSource = new RootBeanDefinition(ReadReplicaDataSourceFactory.class);
            dataSource.getConstructorArgumentValues().addIndexedArgumentValue(0, name);
            dataSource
                    .getConstructorArgumentValues()
                    .addIndexedArgumentValue(2, new RuntimeBeanReference(name + SUFFIX));
            dataSource.setAutowireMode(RootBeanDefinition.AUTOWIRE_CONSTRUCTOR);
            dataSource.setDefaultCandidate(alone);
            registry.registerBeanDefinition(name, dataSource);
        }
    }

    private boolean hasOtherDataSource() {
        return environment.containsProperty("spring.datasource.url")
                || environment.containsProperty("spring.datasource.hikari.jdbc-url")
                || environment.containsProperty("spring.datasource.jndi-name")
                || (beanFactory instanceof ListableBeanFactory factory
                        && factory.getBeanNamesForType(DataSource.class, true, false).length > 0);
    }
}
