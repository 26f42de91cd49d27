package org.litestream4j.spring;

import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;

/** One {@code DataSource} that stands for two databases, by the tenant of the thread. */
@Configuration(proxyBeanMethods = false)
class TenantsConfiguration {
    static final ThreadLocal<String> current = ThreadLocal.withInitial(() -> "a");

    @Bean
    DataSource tenants(Path folder) throws Exception {
        Files.createDirectories(folder.resolve("data"));
        Map<Object, Object> targets = new HashMap<>();
        targets.put("a", new DriverManagerDataSource("jdbc:sqlite:" + folder.resolve("data/a.db")));
        HikariDataSource pool = new HikariDataSource();
        pool.setJdbcUrl("jdbc:sqlite:" + folder.resolve("data/b.db"));
        targets.put("b", pool);
        AbstractRoutingDataSource routing = new Routing(pool);
        routing.setTargetDataSources(targets);
        routing.setDefaultTargetDataSource(targets.get("a"));
        return routing;
    }

    private static final class Routing extends AbstractRoutingDataSource implements AutoCloseable {
        private final HikariDataSource pool;

        Routing(HikariDataSource pool) {
            this.pool = pool;
        }

        @Override
        protected Object determineCurrentLookupKey() {
            return current.get();
        }

        @Override
        public void close() {
            pool.close();
        }
    }
}
