package org.litestream4j.spring;

import java.beans.PropertyDescriptor;
import java.lang.reflect.InvocationTargetException;
import java.sql.SQLException;
import java.sql.Wrapper;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.aop.scope.ScopedObject;
import org.springframework.beans.BeanUtils;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;
import org.springframework.util.ClassUtils;

/**
 * Lists the targets of a {@code DataSource}: of Spring's delegates and AOP proxies, and the results of {@code unwrap}
 * or of a getter for the proxies of JDBC instrumentation. Opens no connection.
 */
final class DataSourceChain {

    private static final Logger LOG = LoggerFactory.getLogger(DataSourceChain.class);

    /** Types requested by {@code unwrap}: pools and the driver's DataSources. */
    private static final List<Class<?>> TARGETS = Stream.of(
                    "com.zaxxer.hikari.HikariDataSource",
                    "org.sqlite.SQLiteDataSource",
                    "org.apache.tomcat.jdbc.pool.DataSource",
                    "org.apache.commons.dbcp2.BasicDataSource",
                    "com.mchange.v2.c3p0.ComboPooledDataSource")
            .<@Nullable Class<?>>map(DataSourceChain::find)
            .filter(Objects::nonNull)
            .<Class<?>>map(Objects::requireNonNull)
            .toList();

    private final Set<DataSource> known = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<DataSource> found = new ArrayList<>();

    private DataSourceChain() {}

    private static @Nullable Class<?> find(String name) {
        try {
            return ClassUtils.forName(name, DataSourceChain.class.getClassLoader());
        } catch (ClassNotFoundException | LinkageError e) {
            return null;
        }
    }

    /** Returns the {@code DataSource} and all its targets, outermost first. */
    static List<DataSource> of(DataSource dataSource) {
        DataSourceChain chain = new DataSourceChain();
        chain.add(dataSource);
        return chain.found;
    }

    /** Returns the first target that reports to the engine; empty if there is none. */
    static Optional<ReplicatedDataSource> replicated(DataSource dataSource) {
        return of(dataSource).stream()
                .filter(ReplicatedDataSource.class::isInstance)
                .map(ReplicatedDataSource.class::cast)
                .findFirst();
    }

    private void add(@Nullable DataSource dataSource) {
        if (dataSource == null || !known.add(dataSource)) {
            return;
        }
        found.add(dataSource);
        if (dataSource instanceof AbstractRoutingDataSource) {
            return; // its target changes at runtime
        }
        if (dataSource instanceof DelegatingDataSource delegating) {
            add(delegating.getTargetDataSource());
            return;
        }
        if (AopProxyUtils.getSingletonTarget(dataSource) instanceof DataSource target) {
            add(target);
        }
        if (dataSource instanceof ScopedObject scoped) {
            add(target(scoped));
        }
        properties(dataSource);
        TARGETS.forEach(type -> add(unwrap(dataSource, type)));
    }

    private static @Nullable DataSource target(ScopedObject scoped) {
        try {
            return scoped.getTargetObject() instanceof DataSource target ? target : null;
        } catch (RuntimeException e) { // outside its scope
            LOG.debug("the target of a scoped proxy is not available", e);
            return null;
        }
    }

    private void properties(DataSource dataSource) {
        for (PropertyDescriptor property : BeanUtils.getPropertyDescriptors(dataSource.getClass())) {
            if (property.getReadMethod() != null && DataSource.class.isAssignableFrom(property.getPropertyType())) {
                try {
                    add((DataSource) property.getReadMethod().invoke(dataSource));
                } catch (IllegalAccessException | InvocationTargetException | RuntimeException e) {
                    LOG.debug("{} cannot be read from {}", property.getName(), dataSource.getClass(), e);
                }
            }
        }
    }

    private static @Nullable DataSource unwrap(Wrapper wrapper, Class<?> type) {
        try {
            return wrapper.isWrapperFor(type) ? (DataSource) wrapper.unwrap(type) : null;
        } catch (SQLException | RuntimeException | LinkageError e) {
            LOG.debug("{} does not unwrap to {}", wrapper.getClass(), type, e);
            return null;
        }
    }
}
