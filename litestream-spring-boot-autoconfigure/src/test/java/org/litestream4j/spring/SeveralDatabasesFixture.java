package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import javax.sql.DataSource;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;

/** An application with {@code DataSource} beans of its own, and what is in their databases. */
abstract class SeveralDatabasesFixture {

    @TempDir
    Path folder;

    /** Two databases with settings of their own names, none of Spring Boot's. */
    ApplicationContextRunner two() {
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

    static JdbcClient client(ApplicationContext context, String bean) {
        return JdbcClient.create(context.getBean(bean, DataSource.class));
    }

    static void write(ApplicationContext context, String bean) {
        JdbcClient client = client(context, bean);
        if (bean.matches("memory|shared|named|temporary")) {
            assertThat(client.sql("select 1").query(Long.class).single()).isEqualTo(1);
            return;
        }
        client.sql("create table t (x int)").update();
        client.sql("insert into t values (1)").update();
    }

    static long rows(ApplicationContext context, String bean) {
        return client(context, bean)
                .sql("select count(*) from t")
                .query(Long.class)
                .single();
    }
}
