package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Path;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.litestream4j.Litestream;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** {@code DataSource} beans of other databases, and of those that are in memory or have no replica, are left alone. */
@ExtendWith(OutputCaptureExtension.class)
class OtherDatabasesTest extends SeveralDatabasesFixture {

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
                            .contains("DataSource is not replicated: path=" + folder.resolve("cache.db") + " bean=cache"
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
}
