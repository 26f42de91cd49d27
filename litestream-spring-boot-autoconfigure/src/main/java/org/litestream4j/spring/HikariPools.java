package org.litestream4j.spring;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.util.DriverDataSource;
import com.zaxxer.hikari.util.PropertyElf;
import java.util.Optional;
import javax.sql.DataSource;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.Redaction;
import org.sqlite.SQLiteDataSource;

/** Code that uses HikariCP's classes; loaded only if HikariCP is on the class path. */
final class HikariPools {

    private HikariPools() {}

    static boolean isPool(DataSource dataSource) {
        return dataSource instanceof HikariDataSource;
    }

    /** Returns the pool that a bean is or unwraps to. */
    static Optional<HikariDataSource> pool(DataSource dataSource) {
        return DataSourceChain.of(dataSource).stream()
                .filter(HikariDataSource.class::isInstance)
                .map(HikariDataSource.class::cast)
                .findFirst();
    }

    static boolean isInstalled(DataSource dataSource) {
        return pool(dataSource)
                .filter(pool -> pool.getDataSource() instanceof ReplicatedDataSource)
                .isPresent();
    }

    static boolean isStarted(DataSource dataSource) {
        return pool(dataSource).filter(HikariDataSource::isRunning).isPresent();
    }

    /**
     * Returns the JDBC URL of the connections that a pool will open; empty if the URL is configured in the
     * {@code DataSource} below it.
     */
    static Optional<String> url(DataSource dataSource) {
        HikariDataSource pool = (HikariDataSource) dataSource;
        if (pool.getDataSource() != null) {
            return Optional.empty();
        }
        if (pool.getDataSourceClassName() != null) {
            return Optional.ofNullable(pool.getDataSourceProperties().get("url"))
                    .map(Object::toString);
        }
        return Optional.ofNullable(pool.getJdbcUrl());
    }

    /**
     * Makes the pool open its connections through the engine. The pool then ignores its URL and
     * {@code data-source-properties}, which are therefore applied here, as is its {@code connection-init-sql}.
     *
     * @return false if the pool has started and cannot be changed any more
     */
    static boolean install(HikariDataSource pool, ManagedDatabase database) {
        if (pool.isRunning()) {
            return false;
        }
        refuseUnfit(pool);
        try {
            DataSource physical = physical(pool);
            if (pool.getConnectionInitSql() != null) {
                physical = new InitSqlDataSource(physical, pool.getConnectionInitSql());
                pool.setConnectionInitSql(null);
            }
            pool.setDataSource(ReplicatedDataSource.of(database, physical));
            return true;
        } catch (IllegalStateException e) {
            return false; // sealed
        }
    }

    /**
     * Makes the pool open the connections of another {@code DataSource}.
     *
     * @return false if the pool has started and cannot be changed any more
     */
    static boolean replace(HikariDataSource pool, DataSource other) {
        if (pool.isRunning()) {
            return false;
        }
        try {
            pool.setDataSource(other);
            return true;
        } catch (IllegalStateException e) {
            return false; // sealed
        }
    }

    /**
     * Rejects modes with which replication cannot work, as in the URL.
     *
     * @throws LitestreamSettingException with the name of the setting
     */
    private static void refuseUnfit(HikariDataSource pool) {
        pool.getDataSourceProperties()
                .forEach((name, value) ->
                        refuseUnfit(String.valueOf(name), String.valueOf(value), "data-source-properties." + name));
        if (pool.getConnectionInitSql() != null) {
            DataSourceModes.set(pool.getConnectionInitSql())
                    .forEach((name, value) -> refuseUnfit(name, value, "connection-init-sql"));
        }
    }

    private static void refuseUnfit(String name, String value, String setting) {
        DataSourceModes.objection(name, value).ifPresent(reason -> {
            throw new LitestreamSettingException(
                    "The pool's setting " + setting + " sets " + name + "=" + Redaction.value(value) + ", but "
                            + reason,
                    "Remove it (spring.datasource.hikari." + setting + "), or set litestream.enabled=false.");
        });
    }

    private static DataSource physical(HikariDataSource pool) {
        if (pool.getDataSource() != null) {
            return pool.getDataSource();
        }
        if (pool.getDataSourceClassName() != null) {
            SQLiteDataSource dataSource = new SQLiteDataSource();
            PropertyElf.setTargetFromProperties(dataSource, pool.getDataSourceProperties());
            return dataSource;
        }
        return new DriverDataSource(
                pool.getJdbcUrl(),
                pool.getDriverClassName(),
                pool.getDataSourceProperties(),
                pool.getUsername(),
                pool.getPassword());
    }
}
