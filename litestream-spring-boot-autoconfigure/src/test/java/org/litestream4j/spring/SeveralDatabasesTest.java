package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Path;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** Several {@code DataSource} beans: each SQLite database that has a replica is restored and replicated. */
class SeveralDatabasesTest extends SeveralDatabasesFixture {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

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
                .withUserConfiguration(TenantsConfiguration.class)
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
                TenantsConfiguration.current.set(tenant);
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
                TenantsConfiguration.current.set(tenant);
                assertThat(rows(context, "tenants")).isEqualTo(1);
            }
        });
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
}
