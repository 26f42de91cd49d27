package org.litestream4j.spring.readreplica;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.litestream4j.readreplica.ReadReplica;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.config.RuntimeBeanReference;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.BeanNameGenerator;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.context.annotation.ImportBeanDefinitionRegistrar;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotationMetadata;
import org.springframework.util.ClassUtils;

/**
 * Registers two beans for each entry: the {@code DataSource} under the name of the entry, and the
 * {@link ReadReplica} under the same name with the suffix {@code ReadReplica}. The
 * {@code DataSource} is a default candidate only if the application has no other, so that the application's own stays the
 * one that is injected without a qualifier.
 */
final class ReadReplicaRegistrar implements ImportBeanDefinitionRegistrar {

    static final String SUFFIX = "ReadReplica";

    private static final Pattern DATABASE = Pattern.compile("(.*\\.)?(url|jdbcurl|jndiname)");

    private static final boolean DETAILS = ClassUtils.isPresent(
            "org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails",
            ReadReplicaRegistrar.class.getClassLoader());

    private final Environment environment;
    private final BeanFactory beanFactory;

    ReadReplicaRegistrar(Environment environment, BeanFactory beanFactory) {
        this.environment = environment;
        this.beanFactory = beanFactory;
    }

    /** Returns the read replicas by the names of their entries. */
    static Map<String, ReadReplica> byEntry(Map<String, ReadReplica> beans) {
        Map<String, ReadReplica> entries = new TreeMap<>();
        beans.forEach((bean, replica) -> entries.put(
                bean.endsWith(SUFFIX) ? bean.substring(0, bean.length() - SUFFIX.length()) : bean, replica));
        return entries;
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
        return isConfigured("spring.datasource")
                || (beanFactory instanceof ListableBeanFactory factory
                        && (hasBean(factory, DataSource.class) || (DETAILS && Details.exist(factory))));
    }

    /** Returns whether a setting of Spring Boot names a database: a URL, also of a pool, or a JNDI name. */
    private boolean isConfigured(String prefix) {
        Map<String, Object> settings = Binder.get(environment)
                .bind(prefix, Bindable.mapOf(String.class, Object.class))
                .orElse(Map.of());
        return namesDatabase(settings);
    }

    private static boolean namesDatabase(Map<?, ?> settings) {
        for (Map.Entry<?, ?> setting : settings.entrySet()) {
            String name =
                    String.valueOf(setting.getKey()).toLowerCase(Locale.ROOT).replaceAll("[-_]", "");
            if (setting.getValue() instanceof Map<?, ?> group
                    ? namesDatabase(group)
                    : DATABASE.matcher(name).matches()) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasBean(ListableBeanFactory factory, Class<?> type) {
        return factory.getBeanNamesForType(type, true, false).length > 0;
    }

    /** Keeps spring-boot-jdbc optional. */
    private static final class Details {

        static boolean exist(ListableBeanFactory factory) {
            return hasBean(factory, JdbcConnectionDetails.class);
        }
    }
}
