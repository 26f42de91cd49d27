package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.mchange.v2.c3p0.ComboPooledDataSource;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Properties;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.datasource.LazyConnectionDataSourceProxy;
import org.sqlite.JDBC;

/** Modes with which replication cannot work are refused by name, wherever a {@code DataSource} bean sets them. */
class UnfitModesTest {

    @TempDir
    Path folder;

    private ApplicationContextRunner with(Supplier<DataSource> dataSource) {
        return Runners.jdbc(folder)
                .withPropertyValues("spring.datasource.url=")
                .withBean("orders", DataSource.class, dataSource);
    }

    private String url() {
        return Runners.url(folder);
    }

    static Stream<Named<Function<String, DataSource>>> urls() {
        return Stream.of(
                Named.of("Hikari", url -> hikari(url)),
                Named.of("Tomcat", UnfitModesTest::tomcat),
                Named.of("DBCP2", UnfitModesTest::dbcp),
                Named.of("C3P0", UnfitModesTest::c3p0),
                Named.of("DriverManager", DriverManagerDataSource::new),
                Named.of("lazy", url -> new LazyConnectionDataSourceProxy(hikari(url))));
    }

    @ParameterizedTest
    @MethodSource("urls")
    void modeInTheUrlOfABean_isRefusedByItsName(Function<String, DataSource> pool) {
        for (String mode : List.of("journal_mode=DELETE", "locking_mode=EXCLUSIVE")) {
            with(() -> pool.apply(url() + "?" + mode)).run(context -> assertThat(context)
                    .getFailure()
                    .rootCause()
                    .isInstanceOf(LitestreamSettingException.class)
                    .hasMessageContaining("has the parameter " + mode + ", but replication "));
        }
    }

    static Stream<Arguments> properties() {
        return Stream.of(
                Arguments.of("dbProperties", named("Tomcat", (url, mode) -> {
                    var pool = tomcat(url);
                    pool.setConnectionProperties("busy_timeout=100;" + mode);
                    return pool;
                })),
                Arguments.of("initSQL", named("Tomcat, statement", (url, mode) -> {
                    var pool = tomcat(url);
                    pool.setInitSQL("pragma " + mode);
                    return pool;
                })),
                Arguments.of("connectionInitSqls", named("DBCP2, statement", (url, mode) -> {
                    BasicDataSource pool = dbcp(url);
                    pool.setConnectionInitSqls(List.of("select 1", "PRAGMA main." + mode));
                    return pool;
                })),
                Arguments.of("properties", named("C3P0", (url, mode) -> {
                    ComboPooledDataSource pool = c3p0(url);
                    pool.setProperties(asProperties(mode));
                    return pool;
                })),
                Arguments.of("connectionProperties", named("DriverManager", (url, mode) -> {
                    DriverManagerDataSource dataSource = new DriverManagerDataSource(url);
                    dataSource.setConnectionProperties(asProperties(mode));
                    return dataSource;
                })));
    }

    @ParameterizedTest
    @MethodSource("properties")
    void modeAmongTheSettingsOfABean_isRefusedByItsName(String property, Pool pool) {
        for (String mode : List.of("journal_mode=TRUNCATE", "locking_mode=EXCLUSIVE")) {
            with(() -> pool.open(url(), mode)).run(context -> assertThat(context)
                    .getFailure()
                    .rootCause()
                    .isInstanceOf(LitestreamSettingException.class)
                    .hasMessageContaining("The property " + property + " of the DataSource \"orders\" sets " + mode));
        }
    }

    /** DBCP2 has no getter for the properties of the driver. */
    @ParameterizedTest
    @ValueSource(strings = {"journal_mode=DELETE", "locking_mode=EXCLUSIVE"})
    void modeThatAPoolDoesNotReveal_isRefusedAtItsFirstConnection(String mode) {
        with(() -> {
                    BasicDataSource pool = dbcp(url());
                    pool.setConnectionProperties(mode);
                    return pool;
                })
                .run(context -> assertThatThrownBy(() -> connect(context.getBean(DataSource.class)))
                        .hasMessageContaining("sets " + mode + ", but replication "));
    }

    /** The engine has the database open, so the driver's wait for its lock fails before the mode can be seen. */
    @Test
    void modeThatAPoolDoesNotReveal_isMentionedIfItWaitsForTheEngine() {
        Runners.jdbc(folder).run(context -> {
            DataSource first = context.getBean(DataSource.class);
            try (Connection held = first.getConnection();
                    Statement statement = held.createStatement()) {
                statement.execute("create table t (a)");
                BasicDataSource second = dbcp(url());
                second.setConnectionProperties("journal_mode=DELETE;busy_timeout=1");
                assertThatThrownBy(() -> connect(
                                context.getBean(LitestreamOperations.class).replicate(second)))
                        .isInstanceOf(SQLException.class)
                        .hasMessageContaining("If the DataSource sets journal_mode or locking_mode, remove it");
                second.close();
            }
        });
    }

    @Test
    void modesOfADatabaseWithoutAReplica_areItsOwn() {
        DataSource other = hikari("jdbc:sqlite:" + folder.resolve("other.db") + "?journal_mode=DELETE");
        Runners.jdbc(folder)
                .withPropertyValues("spring.datasource.url=")
                .withBean("orders", DataSource.class, () -> hikari(url()), definition -> definition.setPrimary(true))
                .withBean("other", DataSource.class, () -> other)
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    connect(other);
                });
    }

    private static void connect(DataSource dataSource) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            assertThat(connection.isValid(1)).isTrue();
        }
    }

    private static Named<Pool> named(String name, Pool pool) {
        return Named.of(name, pool);
    }

    private static Properties asProperties(String mode) {
        Properties properties = new Properties();
        properties.setProperty(mode.split("=")[0], mode.split("=")[1]);
        return properties;
    }

    private static HikariDataSource hikari(String url) {
        return DataSourceBuilder.create().type(HikariDataSource.class).url(url).build();
    }

    private static org.apache.tomcat.jdbc.pool.DataSource tomcat(String url) {
        org.apache.tomcat.jdbc.pool.DataSource pool = new org.apache.tomcat.jdbc.pool.DataSource();
        pool.setUrl(url);
        pool.setDriverClassName(JDBC.class.getName());
        return pool;
    }

    private static BasicDataSource dbcp(String url) {
        BasicDataSource pool = new BasicDataSource();
        pool.setUrl(url);
        return pool;
    }

    private static ComboPooledDataSource c3p0(String url) {
        ComboPooledDataSource pool = new ComboPooledDataSource();
        pool.setJdbcUrl(url);
        pool.setForceUseNamedDriverClass(false);
        return pool;
    }

    /** Creates a pool that sets a mode in its own way. */
    interface Pool {
        DataSource open(String url, String mode);
    }
}
