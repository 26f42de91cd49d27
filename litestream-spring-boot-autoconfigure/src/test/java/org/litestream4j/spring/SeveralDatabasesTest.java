package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.boot.jdbc.autoconfigure.DataSourceProperties;
import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.core.Ordered;
import org.springframework.core.PriorityOrdered;
import org.springframework.core.env.Environment;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;

/** Several {@code DataSource} beans: each SQLite database that has a replica is restored and replicated, the others are not. */
@ExtendWith(OutputCaptureExtension.class)
class SeveralDatabasesTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    /** Two databases with settings of their own names, none of Spring Boot's. */
    private ApplicationContextRunner two() {
        return Runners.jdbc(folder)
                .withUserConfiguration(TwoDataSources.class)
                .withPropertyValues(
                        "spring.datasource.url=",
                        "litestream.replica.url=",
                        "app.orders.jdbc-url=jdbc:sqlite:" + folder.resolve("data/orders.db"),
                        "app.audit.url=jdbc:sqlite:" + folder.resolve("data/audit.db"),
                        "litestream.databases.orders.replica.url=file://" + folder.resolve("replica/orders"),
                        "litestream.databases.audit.replica.url=file://" + folder.resolve("replica/audit"),
                        "litestream.databases.audit.sync-interval=50ms",
                        "litestream.databases.audit.busy-timeout=3s");
    }

    @Test
    void namesOfBeans_areKeysOfSettings() throws Exception {
        two().run(context -> {
            assertThat(context).hasNotFailed();
            Litestream litestream = context.getBean(Litestream.class);
            assertThat(litestream.databases())
                    .extracting(ManagedDatabase::name)
                    .containsExactlyInAnyOrder("orders", "audit");
            assertThat(litestream.database("audit").orElseThrow().config().syncInterval())
                    .isEqualTo(Duration.ofMillis(50));
            assertThat(litestream.database("audit").orElseThrow().config().busyTimeout())
                    .isEqualTo(Duration.ofSeconds(3));
            assertThat(litestream.database("orders").orElseThrow().config().syncInterval())
                    .isEqualTo(Duration.ofMillis(100));
            write(context, "orders");
            write(context, "audit");
            assertThat(HikariPools.isInstalled(context.getBean("orders", DataSource.class)))
                    .isTrue();
        });
        Runners.loseDisk(folder);
        two().run(context -> {
            assertThat(rows(context, "orders")).isEqualTo(1);
            assertThat(rows(context, "audit")).isEqualTo(1);
        });
    }

    @Test
    void keysInTheFormOfEnvironmentVariables_nameBeansToo() {
        Runners.jdbc(folder)
                .withUserConfiguration(Audit.class)
                .withPropertyValues(
                        "spring.datasource.url=",
                        "litestream.replica.url=",
                        "app.audit.url=jdbc:sqlite:" + folder.resolve("data/audit.db"),
                        "litestream.databases.auditdatasource.replica.url=file://" + folder.resolve("replica"))
                .run(context -> assertThat(context.getBean(Litestream.class).databases())
                        .extracting(ManagedDatabase::name)
                        .containsExactly("auditdatasource"));
    }

    @Test
    void onlyDataSource_takesTheSharedReplica() throws Exception {
        ApplicationContextRunner runner = Runners.jdbc(folder)
                .withUserConfiguration(Audit.class)
                .withPropertyValues(
                        "spring.datasource.url=", "app.audit.url=jdbc:sqlite:" + folder.resolve("data/audit.db"));
        runner.run(context -> {
            assertThat(context.getBean(Litestream.class).databases())
                    .extracting(ManagedDatabase::name)
                    .containsExactly("audit.db");
            write(context, "auditDataSource");
        });
        Runners.loseDisk(folder);
        runner.run(context -> assertThat(rows(context, "auditDataSource")).isEqualTo(1));
    }

    @Test
    void primary_isTheApplicationsDatabase() {
        two().withPropertyValues(
                        "litestream.replica.url=file://" + folder.resolve("replica/main"),
                        "litestream.databases.orders.replica.url=",
                        "litestream.databases.orders.durability=replicated")
                .run(context -> {
                    // An empty URL of its own is none.
                    assertThat(context).hasFailed();
                });
        Runners.jdbc(folder)
                .withUserConfiguration(TwoDataSources.class)
                .withPropertyValues(
                        "spring.datasource.url=",
                        "app.orders.jdbc-url=jdbc:sqlite:" + folder.resolve("data/orders.db"),
                        "app.audit.url=jdbc:sqlite:" + folder.resolve("data/audit.db"),
                        "litestream.databases.audit.enabled=false")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(context.getBean(Litestream.class).databases())
                            .extracting(database -> database.config().path())
                            .containsExactly(folder.resolve("data/orders.db"));
                });
    }

    @Test
    void bootsPoolAndAnother_areReplicated() throws Exception {
        ApplicationContextRunner runner = Runners.jdbc(folder)
                .withUserConfiguration(BesideBoots.class)
                .withPropertyValues(
                        "app.audit.url=jdbc:sqlite:" + folder.resolve("data/audit.db"),
                        "litestream.databases.audit.replica.url=file://" + folder.resolve("replica-audit"));
        runner.run(context -> {
            assertThat(context).hasNotFailed();
            write(context, "dataSource");
            write(context, "audit");
        });
        Runners.loseDisk(folder);
        runner.run(context -> {
            assertThat(rows(context, "dataSource")).isEqualTo(1);
            assertThat(rows(context, "audit")).isEqualTo(1);
        });
    }

    @Test
    void otherDatabases_areLeftAlone(CapturedOutput output) {
        LoggingSystem logging = LoggingSystem.get(getClass().getClassLoader());
        logging.setLogLevel(ReplicatedDatabases.class.getName(), LogLevel.INFO);
        Runners.jdbc(folder)
                .withUserConfiguration(Others.class)
                .withBean(Path.class, () -> folder)
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(context.getBean(Litestream.class).databases()).hasSize(1);
                    assertThat(context.getBean("h2")).isExactlyInstanceOf(DriverManagerDataSource.class);
                    assertThat(context.getBean("h2Pool", HikariDataSource.class).getDataSource())
                            .isNull();
                    for (String bean : new String[] {"h2", "h2Pool", "memory", "shared", "named", "temporary"}) {
                        write(context, bean);
                    }
                    write(context, "dataSource");
                    assertThat(output)
                            .contains("DataSource is not replicated: bean=memory, an in-memory or temporary database")
                            .contains("bean=shared, an in-memory")
                            .contains("bean=named, an in-memory")
                            .contains("bean=temporary, an in-memory")
                            .contains("DataSource is not replicated: bean=cache path=" + folder.resolve("cache.db")
                                    + "; set litestream.databases.cache.replica.url")
                            .doesNotContain("bean=h2");
                });
        logging.setLogLevel(ReplicatedDatabases.class.getName(), null);
    }

    @Test
    void applicationsInMemoryDatabase_isLeftAlone(CapturedOutput output) {
        for (String url : new String[] {
            "jdbc:sqlite::memory:",
            "jdbc:sqlite:file::memory:?cache=shared",
            "jdbc:sqlite::resource:db/none.db",
            "jdbc:sqlite:file:x?mode=memory&cache=shared"
        }) {
            Runners.jdbc(folder)
                    .withPropertyValues("spring.datasource.url=" + url)
                    .run(context -> {
                        assertThat(context).hasNotFailed();
                        assertThat(context.getBean(Litestream.class).databases())
                                .isEmpty();
                        assertThat(context.getBean(HikariDataSource.class).getDataSource())
                                .isNull();
                    });
        }
        assertThat(output)
                .contains("The application's database is not replicated: spring.datasource.url names an in-memory or"
                        + " temporary database");
    }

    @Test
    void secondPoolForReaders_isOfTheSameDatabase() throws Exception {
        for (String readOnly : new String[] {"?open_mode=1", "?jdbc.explicit_readonly=true", "", ":mode=ro"}) {
            Runners.jdbc(folder)
                    .withUserConfiguration(Readers.class)
                    .withPropertyValues("app.readers=" + readOnly)
                    .run(context -> {
                        assertThat(context).hasNotFailed();
                        assertThat(context.getBean(Litestream.class).databases())
                                .hasSize(1);
                        JdbcClient writer = client(context, "writer");
                        writer.sql("create table if not exists t (x)").update();
                        writer.sql("insert into t values (1)").update();
                        assertThat(rows(context, "readers")).isPositive();
                        assertThat(HikariPools.isInstalled(context.getBean("readers", DataSource.class)))
                                .isTrue();
                        assertThat(client(context, "readers")
                                        .sql("pragma wal_autocheckpoint")
                                        .query(String.class)
                                        .single())
                                .isEqualTo("0");
                        context.getBean(Litestream.class)
                                .databases()
                                .iterator()
                                .next()
                                .sync(TIMEOUT);
                    });
        }
    }

    @Test
    void targetsOfARoutingDataSource_areReplicatedThoughTheyAreNoBeans() throws Exception {
        ApplicationContextRunner runner = Runners.jdbc(folder)
                .withUserConfiguration(Tenants.class)
                .withBean(Path.class, () -> folder)
                .withPropertyValues(
                        "spring.datasource.url=",
                        "litestream.replica.url=",
                        "litestream.databases.a.path=" + folder.resolve("data/a.db"),
                        "litestream.databases.a.replica.url=file://" + folder.resolve("replica/a"),
                        "litestream.databases.b.path=" + folder.resolve("data/b.db"),
                        "litestream.databases.b.replica.url=file://" + folder.resolve("replica/b"));
        runner.run(context -> {
            assertThat(context).hasNotFailed();
            for (String tenant : new String[] {"a", "b"}) {
                Tenants.current.set(tenant);
                write(context, "tenants");
                assertThat(client(context, "tenants")
                                .sql("pragma wal_autocheckpoint")
                                .query(String.class)
                                .single())
                        .isEqualTo("0");
            }
        });
        Runners.loseDisk(folder);
        runner.run(context -> {
            for (String tenant : new String[] {"a", "b"}) {
                Tenants.current.set(tenant);
                assertThat(rows(context, "tenants")).isEqualTo(1);
            }
        });
    }

    @Test
    void poolThatIsOpenAlready_isRefused() {
        Runners.jdbc(folder)
                .withUserConfiguration(OpenPool.class)
                .withPropertyValues("spring.datasource.url=", "app.audit.url=jdbc:sqlite:" + folder.resolve("audit.db"))
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .isInstanceOf(LitestreamSettingException.class)
                        .hasMessage("The DataSource \"open\" may have opened " + folder.resolve("audit.db")
                                + " already, so it is too late to restore that file."));
    }

    @Test
    void misspeltName_isRefused() {
        two().withPropertyValues("litestream.databases.audt.sync-interval=2s")
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessage("litestream.databases.audt has no path, and no DataSource has this name: there are"
                                + " orders, audit."));
    }

    @Test
    void entryOfABeanThatOpensAnotherFile_isRefused() {
        two().withPropertyValues("litestream.databases.audit.path=" + folder.resolve("data/other.db"))
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessage(
                                "litestream.databases.audit is for the DataSource \"audit\", but that DataSource opens "
                                        + ""
                                        + folder.resolve("data/audit.db") + "."));
    }

    @Test
    void replicaInCommon_isRefused() {
        two().withPropertyValues("litestream.databases.audit.replica.url=file://" + folder.resolve("replica/orders"))
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageContaining("have the replica in common"));
    }

    private static JdbcClient client(ApplicationContext context, String bean) {
        return JdbcClient.create(context.getBean(bean, DataSource.class));
    }

    private static void write(ApplicationContext context, String bean) {
        JdbcClient client = client(context, bean);
        if (bean.matches("memory|shared|named|temporary")) {
            assertThat(client.sql("select 1").query(Long.class).single()).isEqualTo(1);
            return;
        }
        client.sql("create table t (x int)").update();
        client.sql("insert into t values (1)").update();
    }

    private static long rows(ApplicationContext context, String bean) {
        return client(context, bean)
                .sql("select count(*) from t")
                .query(Long.class)
                .single();
    }

    @Configuration(proxyBeanMethods = false)
    static class TwoDataSources {
        @Bean
        static BeanPostProcessor properties(Environment environment) {
            return new PropertiesBinding(environment);
        }

        @Bean
        @Primary
        HikariDataSource orders() {
            return DataSourceBuilder.create().type(HikariDataSource.class).build();
        }

        @Bean
        DataSourceProperties auditProperties() {
            return new DataSourceProperties();
        }

        @Bean
        DataSource audit(@Qualifier("auditProperties") DataSourceProperties properties) {
            return properties.initializeDataSourceBuilder().build();
        }
    }

    /**
     * What {@code @ConfigurationProperties("app.orders")} and {@code ("app.audit")} on the beans do, when they do it; the annotation
     * itself would write metadata of the tests over those of the starter.
     */
    private record PropertiesBinding(Environment environment) implements BeanPostProcessor, PriorityOrdered {
        @Override
        public Object postProcessBeforeInitialization(Object bean, String name) {
            if (name.equals("orders") || name.equals("auditProperties")) {
                Binder.get(environment).bind("app." + name.replace("Properties", ""), Bindable.ofInstance(bean));
            }
            return bean;
        }

        @Override
        public int getOrder() {
            return Ordered.HIGHEST_PRECEDENCE + 1;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Audit {
        @Bean
        DataSource auditDataSource(@Value("${app.audit.url}") String url) {
            return new DriverManagerDataSource(url);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class BesideBoots {
        @Bean(defaultCandidate = false)
        DataSource audit(@Value("${app.audit.url}") String url) {
            return DataSourceBuilder.create().url(url).build();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OpenPool {
        @Bean
        DataSource open(@Value("${app.audit.url}") String url) {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(url);
            return new HikariDataSource(config);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Others {
        @Bean(defaultCandidate = false)
        DataSource h2() {
            return new DriverManagerDataSource("jdbc:h2:mem:one;DB_CLOSE_DELAY=-1");
        }

        @Bean(defaultCandidate = false)
        HikariDataSource h2Pool() {
            return DataSourceBuilder.create()
                    .type(HikariDataSource.class)
                    .url("jdbc:h2:mem:two")
                    .build();
        }

        @Bean(defaultCandidate = false)
        DataSource memory() {
            return new DriverManagerDataSource("jdbc:sqlite::memory:");
        }

        @Bean(defaultCandidate = false)
        DataSource shared() {
            return new DriverManagerDataSource("jdbc:sqlite:file::memory:?cache=shared");
        }

        @Bean(defaultCandidate = false)
        DataSource named() {
            return new DriverManagerDataSource("jdbc:sqlite:file:some?mode=memory&cache=shared");
        }

        @Bean(defaultCandidate = false)
        DataSource temporary() {
            return new DriverManagerDataSource("jdbc:sqlite:");
        }

        @Bean(defaultCandidate = false)
        DataSource cache(Path folder) {
            return new DriverManagerDataSource("jdbc:sqlite:" + folder.resolve("cache.db"));
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Readers {
        @Bean
        @Primary
        HikariDataSource writer(@Value("${spring.datasource.url}") String url) {
            HikariDataSource pool = new HikariDataSource();
            pool.setJdbcUrl(url);
            pool.setMaximumPoolSize(1);
            return pool;
        }

        @Bean
        HikariDataSource readers(
                @Value("${spring.datasource.url}") String url, @Value("${app.readers}") String readOnly) {
            HikariDataSource pool = new HikariDataSource();
            pool.setJdbcUrl(
                    readOnly.startsWith(":")
                            ? url.replace("jdbc:sqlite:", "jdbc:sqlite:file:") + "?" + readOnly.substring(1)
                            : url + readOnly);
            pool.setReadOnly(readOnly.startsWith("?"));
            return pool;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Tenants {
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
}
