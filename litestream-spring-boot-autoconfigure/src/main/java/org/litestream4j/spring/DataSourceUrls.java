package org.litestream4j.spring;

import java.beans.PropertyDescriptor;
import java.util.Optional;
import javax.sql.DataSource;
import org.springframework.beans.BeanUtils;
import org.springframework.beans.BeanWrapperImpl;
import org.springframework.util.ClassUtils;

/** Reads the JDBC URL of a {@code DataSource} without opening a connection. */
final class DataSourceUrls {

    private static final boolean HIKARI = ClassUtils.isPresent("com.zaxxer.hikari.HikariDataSource", null);

    private DataSourceUrls() {}

    /** Returns the URL; empty if the {@code DataSource} does not provide it, for example because it routes to several. */
    static Optional<String> url(DataSource dataSource) {
        return DataSourceChain.of(dataSource).stream()
                .map(DataSourceUrls::own)
                .flatMap(Optional::stream)
                .findFirst();
    }

    private static Optional<String> own(DataSource dataSource) {
        if (HIKARI && HikariPools.isPool(dataSource)) {
            return HikariPools.url(dataSource);
        }
        // SQLite's, Spring's, Tomcat's and DBCP's property is "url", others use "jdbcUrl".
        return property(dataSource, "url").or(() -> property(dataSource, "jdbcUrl"));
    }

    static boolean isHikari(DataSource dataSource) {
        return HIKARI && HikariPools.pool(dataSource).isPresent();
    }

    /** Returns whether a HikariCP pool has opened connections, or may have. */
    static boolean isStarted(DataSource dataSource) {
        return HIKARI && HikariPools.isStarted(dataSource);
    }

    private static Optional<String> property(DataSource dataSource, String name) {
        PropertyDescriptor descriptor = BeanUtils.getPropertyDescriptor(dataSource.getClass(), name);
        if (descriptor == null || descriptor.getReadMethod() == null || descriptor.getPropertyType() != String.class) {
            return Optional.empty();
        }
        return Optional.ofNullable((String) new BeanWrapperImpl(dataSource).getPropertyValue(name));
    }
}
