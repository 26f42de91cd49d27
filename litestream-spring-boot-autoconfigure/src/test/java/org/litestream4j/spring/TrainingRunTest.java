package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.tomcat.jdbc.pool.PoolProperties;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.spring.readreplica.ReadReplicaAutoConfiguration;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.LifecycleProcessor;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.support.DefaultLifecycleProcessor;
import org.springframework.core.SpringProperties;
import org.springframework.core.env.Environment;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;
import org.springframework.util.FileSystemUtils;
import org.sqlite.SQLiteDataSource;

/** Contexts in a process that only records classes. (With spring.context.exit itself, the JVM would end.) */
class TrainingRunTest {

    private static final String FLAG = "spring.aot.processing";

    @TempDir
    Path folder;

    @BeforeEach
    void begin() {
        SpringProperties.setFlag(FLAG);
    }

    @AfterEach
    void end() {
        SpringProperties.setProperty(FLAG, null);
    }

    @Test
    void onlyTheValueOnRefresh_isATrainingRun() {
        SpringProperties.setProperty(FLAG, null);
        assertThat(new TrainingRun().isActive()).isFalse();
        SpringProperties.setProperty("spring.context.exit", "onRefresh");
        assertThat(new TrainingRun().isActive()).isTrue();
        SpringProperties.setProperty("spring.context.exit", "never");
        assertThat(new TrainingRun().isActive()).isFalse();
        SpringProperties.setProperty("spring.context.exit", null);
    }

    /** Otherwise it would accept changes that exist in memory only. */
    @Test
    void contextThatRuns_isRefused() {
        Runners.jdbc(folder).run(context -> assertThat(context)
                .getFailure()
                .rootCause()
                .isInstanceOf(LitestreamSettingException.class)
                .hasMessageContaining("spring.aot.processing=true"));
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void runningContext_remainsAsItIs() {
        SpringProperties.setProperty(FLAG, null);
        Runners.jdbc(folder).run(context -> {
            SpringProperties.setFlag(FLAG);
            SQLiteDataSource late = new SQLiteDataSource();
            late.setUrl("jdbc:sqlite:" + Runners.database(folder));
            JdbcClient.create(context.getBean(LitestreamOperations.class).replicate(late))
                    .sql("create table kept (a)")
                    .update();
            assertThat(context.getBean(JdbcClient.class)
                            .sql("select count(*) from kept")
                            .query(Long.class)
                            .single())
                    .isZero();
        });
    }

    /** A training run ends before beans of the lifecycle start. */
    private static ApplicationContextRunner training(ApplicationContextRunner runner) {
        return runner.withBean("lifecycleProcessor", LifecycleProcessor.class, NoStart::new);
    }

    /** Stands for the end of the process. */
    private static final class NoStart extends DefaultLifecycleProcessor {

        @Override
        public void onRefresh() {
            // the process would end here
        }
    }

    @Test
    void pool_opensADatabaseInMemory_andNoFileExists() {
        training(Runners.flyway(folder))
                // Any request to this replica would fail the start.
                .withPropertyValues("litestream.replica.url=s3://bucket/app?endpoint=http://127.0.0.1:1")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    JdbcClient client = context.getBean(JdbcClient.class);
                    client.sql("insert into note (text) values ('learned')").update();
                    assertThat(client.sql("select count(*) from note")
                                    .query(Long.class)
                                    .single())
                            .isEqualTo(1);
                    assertThat(context.getBean(Litestream.class).databases()).isEmpty();
                });
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void otherDataSources_areReplacedToo() {
        training(Runners.jdbc(folder)).withUserConfiguration(Others.class).run(context -> {
            assertThat(context).hasNotFailed();
            for (DataSource dataSource :
                    context.getBeansOfType(DataSource.class).values()) {
                JdbcClient.create(dataSource)
                        .sql("create table if not exists t (a)")
                        .update();
            }
        });
        assertThat(folder).isEmptyDirectory();
    }

    /** Code that looks at the database while beans are created. */
    @Test
    void poolOpenedByAPostProcessor_opensADatabaseInMemory() {
        training(Runners.jdbc(folder)).withUserConfiguration(Opening.class).run(context -> assertThat(context)
                .hasNotFailed());
        assertThat(folder).isEmptyDirectory();
    }

    /** Such a pool cannot be changed before it connects. Its file must not take the place of the backup later. */
    @Test
    void poolOpenedByItsConstructor_leavesNoFileThatHidesTheBackup() throws Exception {
        ApplicationContextRunner runner = Runners.jdbc(folder).withUserConfiguration(OpenedByConstructor.class);
        SpringProperties.setProperty(FLAG, null);
        runner.run(context -> {
            JdbcClient client = context.getBean(JdbcClient.class);
            client.sql("create table kept (a)").update();
            context.getBean(LitestreamOperations.class).awaitReplicated(Duration.ofSeconds(30));
        });
        FileSystemUtils.deleteRecursively(Runners.database(folder).getParent());
        Files.createDirectory(Runners.database(folder).getParent());

        SpringProperties.setFlag(FLAG);
        training(runner).run(context -> {
            assertThat(context).hasNotFailed();
            context.getBean(JdbcClient.class).sql("create table learned (a)").update();
        });
        assertThat(Runners.database(folder)).exists();

        SpringProperties.setProperty(FLAG, null);
        runner.run(context -> assertThat(context.getBean(JdbcClient.class)
                        .sql("select count(*) from kept")
                        .query(Long.class)
                        .single())
                .isZero());
    }

    @Test
    void databaseThatIsNotReplicated_isOpened() {
        training(Runners.jdbc(folder))
                .withPropertyValues(
                        "spring.datasource.url=jdbc:sqlite:" + folder.resolve("cache.db"),
                        "litestream.databases.dataSource.enabled=false")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    context.getBean(JdbcClient.class).sql("create table t (a)").update();
                    assertThat(folder.resolve("cache.db")).exists();
                });
    }

    @Test
    void readReplica_isEmpty_andItsReplicaIsNotAsked() {
        training(Runners.jdbc(folder))
                .withConfiguration(AutoConfigurations.of(ReadReplicaAutoConfiguration.class))
                .withPropertyValues(
                        "litestream.read-replicas.orders.url=s3://bucket/orders?endpoint=http://127.0.0.1:1",
                        "litestream.read-replicas.orders.as-of=2026-01-01T00:00:00Z")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(JdbcClient.create(context.getBean("orders", DataSource.class))
                                    .sql("select count(*) from sqlite_schema")
                                    .query(Long.class)
                                    .single())
                            .isZero();
                });
    }

    @Configuration(proxyBeanMethods = false)
    static class Opening {

        @Bean
        static BeanPostProcessor opening() {
            return new BeanPostProcessor() {
                @Override
                public Object postProcessAfterInitialization(Object bean, String beanName) {
                    if (bean instanceof HikariDataSource pool) {
                        JdbcClient.create(pool).sql("create table opened (a)").update();
                    }
                    return bean;
                }
            };
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OpenedByConstructor {

        @Bean
        DataSource own(Environment environment) {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(environment.getRequiredProperty("spring.datasource.url"));
            config.setConnectionInitSql("pragma journal_mode=wal");
            return new HikariDataSource(config);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Others {

        private static SQLiteDataSource sqlite(String url) {
            SQLiteDataSource dataSource = new SQLiteDataSource();
            dataSource.setUrl(url);
            return dataSource;
        }

        @Bean
        DataSource dataSource(Environment environment) {
            return sqlite(environment.getRequiredProperty("spring.datasource.url"));
        }

        @Bean
        DataSource tomcat(Environment environment) {
            PoolProperties properties = new PoolProperties();
            properties.setUrl(environment.getRequiredProperty("spring.datasource.url"));
            return new org.apache.tomcat.jdbc.pool.DataSource(properties);
        }

        @Bean
        DataSource routing(Environment environment) {
            AbstractRoutingDataSource routing = new AbstractRoutingDataSource() {
                @Override
                protected Object determineCurrentLookupKey() {
                    return "one";
                }
            };
            routing.setTargetDataSources(
                    Map.of("one", sqlite(environment.getRequiredProperty("spring.datasource.url"))));
            return routing;
        }
    }
}
