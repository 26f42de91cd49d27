package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.simple.JdbcClient;

class LitestreamAutoConfigurationTest {

    @TempDir
    Path folder;

    @Test
    void disabled_vanishes() {
        Runners.jdbc(folder)
                .withPropertyValues("litestream.enabled=false", "spring.datasource.url=jdbc:sqlite::memory:")
                .run(context -> {
                    assertThat(context).hasNotFailed().doesNotHaveBean(Litestream.class);
                    assertThat(context.getBeanDefinitionNames()).noneMatch(name -> name.contains("litestream"));
                    assertThat(context.getBean(HikariDataSource.class).getDataSource())
                            .isNull();
                });
    }

    @Test
    void nonSqliteUrl_isLeftAlone() {
        Runners.jdbc(folder)
                .withPropertyValues(
                        "spring.datasource.url=jdbc:postgresql://localhost/app",
                        "spring.datasource.driver-class-name=org.sqlite.JDBC")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(context.getBean(Litestream.class).databases()).isEmpty();
                    assertThat(context.getBean(HikariDataSource.class).getDataSource())
                            .isNull();
                    assertThat(folder).isEmptyDirectory();
                });
    }

    @Test
    void nothingConfiguredAndNoDataSource_starts() {
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(LitestreamAutoConfiguration.class))
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void connectionDetails_beatTheUrl() {
        Runners.jdbc(folder)
                .withPropertyValues("spring.datasource.url=jdbc:sqlite:" + folder.resolve("wrong.db"))
                .withUserConfiguration(Details.class)
                .withBean(Path.class, () -> folder)
                .run(context -> {
                    context.getBean(JdbcClient.class).sql("create table t (x)").update();
                    assertThat(context.getBean(Litestream.class).databases())
                            .extracting(database -> database.config().path())
                            .containsExactly(folder.resolve("details.db"));
                    assertThat(HikariPools.isInstalled(context.getBean(HikariDataSource.class)))
                            .isTrue();
                    assertThat(folder.resolve("wrong.db")).doesNotExist();
                });
    }

    @Test
    void withoutActuatorAndHealth_starts() {
        new ApplicationContextRunner()
                .withUserConfiguration(Everything.class)
                .withPropertyValues(
                        "spring.datasource.url=" + Runners.url(folder),
                        "litestream.replica.url=file://" + folder.resolve("replica"),
                        "spring.flyway.enabled=false",
                        "spring.liquibase.enabled=false",
                        "spring.data.jdbc.repositories.enabled=false",
                        "spring.data.jpa.repositories.enabled=false")
                .withClassLoader(new FilteredClassLoader(
                        ConditionalOnAvailableEndpoint.class, ConditionalOnEnabledHealthIndicator.class))
                .run(context -> {
                    assertThat(context).hasNotFailed().hasSingleBean(Litestream.class);
                    assertThat(context).doesNotHaveBean("litestreamEndpoint");
                    assertThat(context).doesNotHaveBean("litestreamHealthIndicator");
                });
    }

    @Test
    void newDatabasesFolder_isCreated() {
        Runners.jdbc(folder).run(context -> {
            context.getBean(JdbcClient.class).sql("create table t (x)").update();
            assertThat(Runners.database(folder)).exists();
        });
    }

    @Test
    void userDefinedLitestream_isUsed() {
        Litestream own = Litestream.builder().build();
        Runners.jdbc(folder)
                .withBean("own", Litestream.class, () -> own)
                .run(context -> assertThat(context.getBean(Litestream.class)).isSameAs(own));
    }

    @Test
    void twoContextsInOneJvm_leaveNoThreadAndNoWal() throws Exception {
        Set<Thread> before = liveThreads();
        for (int run = 0; run < 2; run++) {
            Runners.flyway(folder).run(context -> context.getBean(JdbcClient.class)
                    .sql("insert into note (text) values ('x')")
                    .update());
            assertThat(Files.exists(Runners.database(folder).resolveSibling("app.db-wal")))
                    .isFalse();
        }
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(newThreads(before)).isEmpty());
        Runners.flyway(folder).run(context -> assertThat(context.getBean(JdbcClient.class)
                        .sql("select count(*) from note")
                        .query(Long.class)
                        .single())
                .isEqualTo(2));
    }

    private static Set<Thread> liveThreads() {
        return Set.copyOf(Thread.getAllStackTraces().keySet());
    }

    private static Set<String> newThreads(Set<Thread> before) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.isAlive() && !before.contains(thread))
                .map(Thread::getName)
                .filter(name -> !name.startsWith("awaitility"))
                .collect(Collectors.toSet());
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Everything {}

    @Configuration(proxyBeanMethods = false)
    static class Details {
        @Bean
        JdbcConnectionDetails details(Path folder) {
            return new JdbcConnectionDetails() {
                @Override
                public String getUsername() {
                    return "";
                }

                @Override
                public String getPassword() {
                    return "";
                }

                @Override
                public String getJdbcUrl() {
                    return "jdbc:sqlite:" + folder.resolve("details.db");
                }
            };
        }
    }
}
