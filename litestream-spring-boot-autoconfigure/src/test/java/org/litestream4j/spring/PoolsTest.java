package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.mchange.v2.c3p0.ComboPooledDataSource;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.function.Function;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.datasource.LazyConnectionDataSourceProxy;
import org.springframework.jdbc.datasource.SimpleDriverDataSource;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;
import org.sqlite.JDBC;
import org.sqlite.SQLiteConnection;
import org.sqlite.SQLiteDataSource;

/** Whatever hands out connections: it restores, replicates, and lets commits wait. */
class PoolsTest {

    @TempDir
    Path folder;

    static Stream<Named<Function<String, DataSource>>> usualPools() {
        return Stream.of(
                Named.of("Hikari", PoolsTest::hikari),
                Named.of("Tomcat", url -> DataSourceBuilder.create()
                        .type(org.apache.tomcat.jdbc.pool.DataSource.class)
                        .url(url)
                        .build()),
                Named.of("DBCP2", url -> dbcp(url)),
                Named.of("DriverManager", DriverManagerDataSource::new));
    }

    static Stream<Named<Function<String, DataSource>>> otherPools() {
        return Stream.of(
                Named.of("Hikari without auto-commit", url -> {
                    HikariDataSource pool = hikari(url);
                    pool.setAutoCommit(false);
                    return pool;
                }),
                Named.of(
                        "DataSourceBuilder",
                        url -> DataSourceBuilder.create().url(url).build()),
                Named.of("DataSourceBuilder of SQLite's", url -> DataSourceBuilder.create()
                        .type(SQLiteDataSource.class)
                        .url(url)
                        .build()),
                Named.of("Tomcat without auto-commit", url -> {
                    org.apache.tomcat.jdbc.pool.DataSource pool = new org.apache.tomcat.jdbc.pool.DataSource();
                    pool.setUrl(url);
                    pool.setDriverClassName(JDBC.class.getName());
                    pool.setDefaultAutoCommit(false);
                    return pool;
                }),
                Named.of("DBCP2 without auto-commit", url -> {
                    BasicDataSource pool = dbcp(url);
                    pool.setDefaultAutoCommit(false);
                    return pool;
                }),
                Named.of("C3P0", url -> {
                    ComboPooledDataSource pool = new ComboPooledDataSource();
                    pool.setJdbcUrl(url);
                    pool.setForceUseNamedDriverClass(false);
                    return pool;
                }),
                Named.of("SQLite's", url -> {
                    SQLiteDataSource dataSource = new SQLiteDataSource();
                    dataSource.setUrl(url);
                    return dataSource;
                }),
                Named.of("SimpleDriver", url -> new SimpleDriverDataSource(new JDBC(), url)),
                Named.of("SingleConnection", url -> new SingleConnectionDataSource(url, false)),
                Named.of("SingleConnection, unclosable", url -> new SingleConnectionDataSource(url, true)),
                Named.of("lazy", url -> new LazyConnectionDataSourceProxy(new DriverManagerDataSource(url))),
                Named.of("lazy over Hikari", url -> lazy(hikari(url))),
                Named.of("transaction-aware", url -> new ClosingTransactionAware(hikari(url))));
    }

    private static HikariDataSource hikari(String url) {
        HikariDataSource pool = new HikariDataSource();
        pool.setJdbcUrl(url);
        return pool;
    }

    private static BasicDataSource dbcp(String url) {
        BasicDataSource pool = new BasicDataSource();
        pool.setUrl(url);
        return pool;
    }

    private static DataSource lazy(HikariDataSource pool) {
        return new ClosingLazy(pool);
    }

    private static final class ClosingLazy extends LazyConnectionDataSourceProxy implements AutoCloseable {
        private final HikariDataSource pool;

        ClosingLazy(HikariDataSource pool) {
            super(pool);
            this.pool = pool;
        }

        @Override
        public void close() {
            pool.close();
        }
    }

    private static final class ClosingTransactionAware extends TransactionAwareDataSourceProxy
            implements AutoCloseable {
        private final HikariDataSource pool;

        ClosingTransactionAware(HikariDataSource pool) {
            super(pool);
            this.pool = pool;
        }

        @Override
        public void close() {
            pool.close();
        }
    }

    @ParameterizedTest
    @MethodSource("usualPools")
    void usualPool_replicatesWaitsAndComesBack(Function<String, DataSource> pool) throws Exception {
        replicatesWaitsAndComesBack(pool);
    }

    @ParameterizedTest
    @MethodSource("otherPools")
    @Tag("slow")
    void otherPool_replicatesWaitsAndComesBack(Function<String, DataSource> pool) throws Exception {
        replicatesWaitsAndComesBack(pool);
    }

    private void replicatesWaitsAndComesBack(Function<String, DataSource> pool) throws Exception {
        ApplicationContextRunner runner = runner(pool).withPropertyValues("litestream.durability=replicated");
        runner.run(context -> {
            assertThat(context).hasNotFailed();
            inTransaction(context, "create table note (x)");
            ManagedDatabase database =
                    context.getBean(Litestream.class).databases().iterator().next();
            long before = database.statistics().commitWaits().count();
            for (int i = 0; i < 3; i++) {
                inTransaction(context, "insert into note values (1)");
            }
            assertThat(database.statistics().commitWaits().count() - before).isEqualTo(3);
            assertPragmas(context);
        });
        Runners.loseDisk(folder);
        runner.run(context -> assertThat(notes(context)).isEqualTo(3));
    }

    @Test
    void oneConnectionForAll_isSeenOnce() throws Exception {
        runner(url -> new SingleConnectionDataSource(url, true)).run(context -> {
            DataSource dataSource = context.getBean(DataSource.class);
            try (Connection connection = dataSource.getConnection();
                    Connection again = dataSource.getConnection()) {
                assertThat(again).isSameAs(connection);
            }
        });
    }

    private ApplicationContextRunner runner(Function<String, DataSource> pool) {
        return Runners.jdbc(folder).withBean("pool", DataSource.class, () -> pool.apply(Runners.url(folder)));
    }

    private static void inTransaction(ApplicationContext context, String sql) {
        new TransactionTemplate(context.getBean(PlatformTransactionManager.class))
                .executeWithoutResult(
                        status -> context.getBean(JdbcClient.class).sql(sql).update());
    }

    private static long notes(ApplicationContext context) {
        return context.getBean(JdbcClient.class)
                .sql("select count(*) from note")
                .query(Long.class)
                .single();
    }

    private static void assertPragmas(ApplicationContext context) throws Exception {
        JdbcClient jdbc = context.getBean(JdbcClient.class);
        assertThat(jdbc.sql("pragma wal_autocheckpoint").query(String.class).single())
                .isEqualTo("0");
        assertThat(jdbc.sql("pragma journal_mode").query(String.class).single()).isEqualTo("wal");
        DataSource dataSource = context.getBean(DataSource.class);
        Connection connection = org.springframework.jdbc.datasource.DataSourceUtils.getConnection(dataSource);
        try {
            assertThat(connection.unwrap(SQLiteConnection.class)).isNotNull();
        } finally {
            org.springframework.jdbc.datasource.DataSourceUtils.releaseConnection(connection, dataSource);
        }
    }
}
