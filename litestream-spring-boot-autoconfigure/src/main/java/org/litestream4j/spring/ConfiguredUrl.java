package org.litestream4j.spring;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.core.env.Environment;
import org.springframework.util.ClassUtils;
import org.springframework.util.StringUtils;

/**
 * Determines the JDBC URL that Spring Boot's connection pool will open. The pool's own setting overrides
 * {@code spring.datasource.url}.
 */
final class ConfiguredUrl {

    private static final String PREFIX = "spring.datasource.";

    /** Pools in the order in which Spring Boot chooses one. */
    private static final List<Pool> POOLS = List.of(
            new Pool("com.zaxxer.hikari.HikariDataSource", "hikari.jdbc-url"),
            new Pool("org.apache.tomcat.jdbc.pool.DataSource", "tomcat.url"),
            new Pool("org.apache.commons.dbcp2.BasicDataSource", "dbcp2.url"));

    /** @param setting setting with the URL, below {@link #PREFIX} */
    private record Pool(String type, String setting) {}

    private ConfiguredUrl() {}

    /** @param common URL that replaces {@code spring.datasource.url}; null to read that setting */
    static Optional<String> of(Environment environment, @Nullable String common) {
        String url = common != null ? common : environment.getProperty(PREFIX + "url");
        return ofPool(environment).or(() -> Optional.ofNullable(url)).filter(StringUtils::hasText);
    }

    private static Optional<String> ofPool(Environment environment) {
        String type = environment.getProperty(PREFIX + "type");
        return POOLS.stream()
                .filter(pool -> StringUtils.hasText(type)
                        ? pool.type().equals(type)
                        : ClassUtils.isPresent(pool.type(), ConfiguredUrl.class.getClassLoader()))
                .findFirst()
                .flatMap(pool -> settings(environment, pool)
                        .map(setting -> environment.getProperty(PREFIX + setting))
                        .filter(StringUtils::hasText)
                        .findFirst());
    }

    /** Returns the settings of a pool. HikariCP prefers the class of a {@code DataSource} to any URL. */
    private static Stream<String> settings(Environment environment, Pool pool) {
        return pool.setting().startsWith("hikari.")
                        && StringUtils.hasText(environment.getProperty(PREFIX + "hikari.data-source-class-name"))
                ? Stream.of("hikari.data-source-properties.url", pool.setting())
                : Stream.of(pool.setting());
    }
}
