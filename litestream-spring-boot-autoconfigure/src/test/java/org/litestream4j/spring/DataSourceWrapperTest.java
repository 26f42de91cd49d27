package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.jdbc.DataSourceUnwrapper;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.datasource.LazyConnectionDataSourceProxy;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;
import org.sqlite.SQLiteConnection;
import org.sqlite.SQLiteDataSource;

/** Every way to configure a {@code DataSource} keeps its settings, and gets ours. */
class DataSourceWrapperTest {

    @TempDir
    Path folder;

    @Test
    void bootsPool_staysHikariAndGetsThePragmas() {
        Runners.jdbc(folder).run(context -> {
            assertThat(context).hasNotFailed().hasSingleBean(HikariDataSource.class);
            assertReplicated(context);
            assertThat(HikariPools.isInstalled(context.getBean(DataSource.class)))
                    .isTrue();
        });
    }

    @Test
    void parametersOfTheUrl_apply() {
        Runners.jdbc(folder)
                .withPropertyValues(
                        "spring.datasource.url=" + Runners.url(folder) + "?busy_timeout=1234&foreign_keys=on")
                .run(context -> {
                    assertThat(pragma(context, "busy_timeout")).isEqualTo("1234");
                    assertThat(pragma(context, "foreign_keys")).isEqualTo("1");
                    assertReplicated(context);
                });
    }

    /** As in the URL. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "data-source-properties.locking_mode=EXCLUSIVE | data-source-properties.locking_mode",
                "data-source-properties.journal_mode=delete | data-source-properties.journal_mode",
                "connection-init-sql=PRAGMA locking_mode = exclusive | connection-init-sql",
                "connection-init-sql=pragma page_size=512; pragma main.journal_mode('TRUNCATE') | connection-init-sql"
            })
    void modeThatReplicationCannotLiveWith_isRefusedByTheNameOfItsSetting(String setting, String name) {
        Runners.jdbc(folder)
                .withPropertyValues("spring.datasource.hikari." + setting)
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(LitestreamSettingException.class)
                        .hasMessageContaining("The pool's setting " + name + " sets "));
    }

    @Test
    void dataSourceProperties_apply() {
        Runners.jdbc(folder)
                .withPropertyValues(
                        "spring.datasource.hikari.data-source-properties.busy_timeout=4321",
                        "spring.datasource.hikari.data-source-properties.wal_autocheckpoint=500",
                        "spring.datasource.hikari.data-source-properties.journal_mode=wal")
                .run(context -> {
                    assertThat(pragma(context, "busy_timeout")).isEqualTo("4321");
                    assertReplicated(context);
                });
    }

    @Test
    void dataSourceClassName_applies() {
        Runners.jdbc(folder).withUserConfiguration(ClassNamePool.class).run(context -> {
            assertThat(pragma(context, "busy_timeout")).isEqualTo("2222");
            assertReplicated(context);
        });
    }

    @Test
    void poolOfAUsersDataSource_applies() {
        Runners.jdbc(folder).withUserConfiguration(PoolOfDataSource.class).run(context -> {
            assertThat(pragma(context, "busy_timeout")).isEqualTo("3333");
            assertReplicated(context);
        });
    }

    @Test
    void startedPool_isWrapped() {
        Runners.jdbc(folder).withUserConfiguration(StartedPool.class).run(context -> {
            assertThat(context).hasNotFailed();
            assertReplicated(context);
            DataSource dataSource = context.getBean(DataSource.class);
            assertThat(dataSource).isInstanceOf(ReplicatedDataSource.class);
            assertThat(dataSource.unwrap(HikariDataSource.class)).isNotNull();
            assertThat(DataSourceUnwrapper.unwrap(dataSource, HikariDataSource.class))
                    .isNotNull();
        });
    }

    @Test
    void lazyProxy_isInstalledBelowItsPool() {
        Runners.jdbc(folder)
                .withPropertyValues("spring.datasource.connection-fetch=lazy")
                .run(context -> {
                    assertThat(context.getBean(DataSource.class)).isInstanceOf(LazyConnectionDataSourceProxy.class);
                    assertReplicated(context);
                });
    }

    @Test
    void tomcatPool_isWrapped() {
        Runners.jdbc(folder)
                .withPropertyValues("spring.datasource.type=org.apache.tomcat.jdbc.pool.DataSource")
                .run(context -> {
                    assertReplicated(context);
                    assertThat(context.getBean(DataSource.class).unwrap(org.apache.tomcat.jdbc.pool.DataSource.class))
                            .isNotNull();
                });
    }

    @Test
    void dataSourceWithoutAPool_isWrapped() {
        Runners.jdbc(folder).withUserConfiguration(NoPool.class).run(DataSourceWrapperTest::assertReplicated);
    }

    @Test
    void pageSizeAndAutoVacuum_takeEffectOnANewDatabase() {
        Runners.jdbc(folder)
                .withPropertyValues(
                        "spring.datasource.url=" + Runners.url(folder) + "?page_size=8192",
                        "spring.datasource.hikari.connection-init-sql=pragma auto_vacuum=FULL")
                .run(context -> {
                    try (Connection connection =
                                    context.getBean(DataSource.class).getConnection();
                            Statement statement = connection.createStatement()) {
                        statement.execute("create table t (x)");
                    }
                    assertThat(pragma(context, "page_size")).isEqualTo("8192");
                    assertThat(pragma(context, "auto_vacuum")).isEqualTo("1");
                    assertReplicated(context);
                });
    }

    @Test
    void onlyDataSource_ofAnotherFileThanTheReplicated_failsTheStart() {
        Runners.jdbc(folder).withUserConfiguration(OtherFile.class).run(context -> assertThat(context)
                .getFailure()
                .rootCause()
                .isInstanceOf(LitestreamSettingException.class)
                .hasMessageContaining("other.db")
                .hasMessageContaining("app.db"));
    }

    @Test
    void onlyDataSource_inMemoryInsteadOfTheReplicated_failsTheStart() {
        Runners.jdbc(folder)
                .withBean(
                        "dataSource", DataSource.class, () -> new DriverManagerDataSource("jdbc:sqlite:file::memory:"))
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(LitestreamSettingException.class)
                        .hasMessageContaining("in memory")
                        .hasMessageContaining("app.db"));
    }

    @Test
    void urlOfThePool_beatsTheUrlOfSpring_andItsDatabaseIsRestored() throws Exception {
        String type = "org.apache.tomcat.jdbc.pool.DataSource";
        for (String[] settings : new String[][] {
            {"spring.datasource.hikari.jdbc-url=" + Runners.url(folder)},
            {"spring.datasource.type=" + type, "spring.datasource.tomcat.url=" + Runners.url(folder)},
            {
                "spring.datasource.hikari.data-source-class-name=" + SQLiteDataSource.class.getName(),
                "spring.datasource.hikari.data-source-properties.url=" + Runners.url(folder)
            }
        }) {
            ApplicationContextRunner application = Runners.jdbc(folder)
                    .withPropertyValues("spring.datasource.url=jdbc:sqlite:" + folder.resolve("data/unused.db"))
                    .withPropertyValues(settings);
            application.run(context -> {
                JdbcClient jdbc = context.getBean(JdbcClient.class);
                jdbc.sql("create table if not exists t (x)").update();
                jdbc.sql("insert into t values (1)").update();
                assertReplicated(context);
            });
            Runners.loseDisk(folder);
        }
        Runners.jdbc(folder).run(context -> assertThat(context.getBean(JdbcClient.class)
                        .sql("select count(*) from t")
                        .query(Long.class)
                        .single())
                .isEqualTo(3));
    }

    @Test
    void memoryDatabaseBesideTheReplicated_isLeftAlone() {
        Runners.jdbc(folder).withUserConfiguration(BesideInMemory.class).run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(context.getBean("memory")).isExactlyInstanceOf(DriverManagerDataSource.class);
            assertReplicated(context);
        });
    }

    @Test
    void routingDataSource_isLeftAloneAndItsTargetsAreReplicated() {
        Runners.jdbc(folder).withUserConfiguration(Routing.class).run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(context.getBean("routing")).isInstanceOf(AbstractRoutingDataSource.class);
            assertThat(pragma(context.getBean("routing", DataSource.class), "wal_autocheckpoint"))
                    .isEqualTo("0");
        });
    }

    @Test
    void pathThroughASymbolicLink_isTheSameFile() throws Exception {
        Files.createDirectories(folder.resolve("data"));
        Files.createSymbolicLink(folder.resolve("link"), folder.resolve("data"));
        ApplicationContextRunner linked = Runners.jdbc(folder)
                .withPropertyValues(
                        "litestream.replica.url=",
                        "litestream.databases.app.path=" + folder.resolve("link/app.db"),
                        "litestream.databases.app.replica.url=file://" + folder.resolve("replica"));
        linked.run(context -> assertThat(context).hasNotFailed());
    }

    private static void assertReplicated(ApplicationContext context) throws SQLException {
        assertThat(pragma(context, "journal_mode")).isEqualTo("wal");
        assertThat(pragma(context, "wal_autocheckpoint")).isEqualTo("0");
        try (Connection connection = context.getBean(DataSource.class).getConnection()) {
            assertThat(connection.unwrap(SQLiteConnection.class)).isNotNull();
        }
    }

    private static String pragma(ApplicationContext context, String name) throws SQLException {
        return pragma(context.getBean(DataSource.class), name);
    }

    private static String pragma(DataSource dataSource, String name) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("pragma " + name)) {
            return result.getString(1);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class ClassNamePool {
        @Bean
        HikariDataSource dataSource(Environment environment) {
            HikariDataSource pool = new HikariDataSource();
            pool.setDataSourceClassName(SQLiteDataSource.class.getName());
            pool.addDataSourceProperty("url", environment.getProperty("spring.datasource.url"));
            pool.addDataSourceProperty("busyTimeout", 2222);
            return pool;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class PoolOfDataSource {
        @Bean
        HikariDataSource dataSource(Environment environment) {
            SQLiteDataSource target = new SQLiteDataSource();
            target.setUrl(environment.getProperty("spring.datasource.url"));
            target.setBusyTimeout(3333);
            HikariDataSource pool = new HikariDataSource();
            pool.setDataSource(target);
            return pool;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class StartedPool {
        @Bean
        DataSource dataSource(Environment environment) {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(environment.getProperty("spring.datasource.url"));
            return new HikariDataSource(config);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class NoPool {
        @Bean
        DataSource dataSource(Environment environment) {
            return new DriverManagerDataSource(environment.getRequiredProperty("spring.datasource.url"));
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OtherFile {
        @Bean
        DataSource dataSource(Environment environment) {
            return new DriverManagerDataSource(
                    environment.getRequiredProperty("spring.datasource.url").replace("app.db", "other.db"));
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class BesideInMemory extends NoPool {
        @Override
        @Bean
        @org.springframework.context.annotation.Primary
        DataSource dataSource(Environment environment) {
            return super.dataSource(environment);
        }

        @Bean
        DataSource memory() {
            return new DriverManagerDataSource("jdbc:sqlite::memory:");
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Routing extends NoPool {
        @Bean
        @org.springframework.context.annotation.Primary
        DataSource routing(DataSource dataSource) {
            AbstractRoutingDataSource routing = new AbstractRoutingDataSource() {
                @Override
                protected Object determineCurrentLookupKey() {
                    return "app";
                }
            };
            routing.setTargetDataSources(Map.of("app", dataSource));
            return routing;
        }
    }
}
