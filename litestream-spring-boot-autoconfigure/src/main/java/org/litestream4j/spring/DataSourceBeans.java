package org.litestream4j.spring;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;

/**
 * Definitions of the application's {@code DataSource} beans. No bean is created.
 *
 * @param names names of all beans
 * @param main the only bean, otherwise Spring Boot's own, otherwise the primary one; null if there is none of these
 * @param replaced whether a test has replaced the application's database by an embedded one
 */
record DataSourceBeans(List<String> names, @Nullable String main, boolean replaced) {

    private static final String BOOT = "org.springframework.boot.jdbc.autoconfigure.";
    private static final String TEST_DATABASE = "org.springframework.boot.jdbc.test.autoconfigure.";
    private static final String SCOPED_TARGET = "scopedTarget.";

    static final DataSourceBeans NONE = new DataSourceBeans(List.of(), null, false);

    DataSourceBeans {
        names = List.copyOf(names);
    }

    static DataSourceBeans of(ConfigurableListableBeanFactory factory) {
        List<String> names = new ArrayList<>();
        boolean replaced = false;
        for (String name : factory.getBeanNamesForType(DataSource.class, true, false)) {
            if (isTestDatabase(factory, name)) {
                replaced = true;
            } else if (!isScopedTarget(name) && !isReadOnly(factory, name)) {
                names.add(name);
            }
        }
        return new DataSourceBeans(names, main(factory, names), replaced);
    }

    /** Returns the name by which the application knows a bean: of the target of a scoped proxy, that of the proxy. */
    static String name(String bean) {
        return isScopedTarget(bean) ? bean.substring(SCOPED_TARGET.length()) : bean;
    }

    /** Returns whether a bean is the target of a scoped proxy. */
    static boolean isScopedTarget(String bean) {
        return bean.startsWith(SCOPED_TARGET);
    }

    private static boolean isReadOnly(ConfigurableListableBeanFactory factory, String name) {
        Class<?> type = factory.getType(name, false);
        return type != null && ReadOnlyDataSource.class.isAssignableFrom(type);
    }

    /** Returns whether the definition comes from {@code @AutoConfigureTestDatabase}. */
    private static boolean isTestDatabase(ConfigurableListableBeanFactory factory, String name) {
        if (!factory.containsBeanDefinition(name)) {
            return false;
        }
        String type = factory.getBeanDefinition(name).getBeanClassName();
        return type != null && type.startsWith(TEST_DATABASE);
    }

    private static @Nullable String main(ConfigurableListableBeanFactory factory, List<String> names) {
        if (names.size() == 1) {
            return names.get(0);
        }
        String primary = null;
        for (String name : names) {
            if (factory.containsBeanDefinition(name)) {
                BeanDefinition definition = factory.getBeanDefinition(name);
                String definedBy = definition.getFactoryBeanName();
                if (definedBy != null && definedBy.startsWith(BOOT)) {
                    return name;
                }
                primary = definition.isPrimary() ? name : primary;
            }
        }
        return primary;
    }

    /**
     * Returns the bean to which a key of {@code litestream.databases} refers. Environment variables cannot express
     * upper case and dashes.
     */
    Optional<String> find(String key) {
        return names.stream().filter(key::equals).findFirst().or(() -> names.stream()
                .filter(name -> canonical(name).equals(canonical(key)))
                .findFirst());
    }

    private static String canonical(String name) {
        return name.replaceAll("[-_]", "").toLowerCase(Locale.ROOT);
    }
}
