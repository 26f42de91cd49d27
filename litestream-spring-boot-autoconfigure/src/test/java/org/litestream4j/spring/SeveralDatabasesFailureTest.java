package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Settings and {@code DataSource} beans that do not go together are refused. */
class SeveralDatabasesFailureTest extends SeveralDatabasesFixture {

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

    @Configuration(proxyBeanMethods = false)
    static class OpenPool {
        @Bean
        DataSource open(@Value("${app.audit.url}") String url) {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(url);
            return new HikariDataSource(config);
        }
    }
}
