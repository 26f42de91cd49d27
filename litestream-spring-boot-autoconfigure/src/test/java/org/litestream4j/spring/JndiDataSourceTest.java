package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Hashtable;
import javax.naming.Context;
import javax.naming.InitialContext;
import javax.naming.NameNotFoundException;
import javax.naming.NamingException;
import javax.naming.spi.InitialContextFactory;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.Litestream;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.jdbc.autoconfigure.JndiDataSourceAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.sqlite.SQLiteDataSource;

/** A {@code DataSource} of the container's: nobody but the list of databases tells the path in time. */
class JndiDataSourceTest {

    private static @Nullable DataSource bound;

    @TempDir
    Path folder;

    @BeforeEach
    void bind() {
        SQLiteDataSource dataSource = new SQLiteDataSource();
        dataSource.setUrl(Runners.url(folder));
        bound = dataSource;
    }

    @AfterEach
    void unbind() {
        bound = null;
    }

    private ApplicationContextRunner application() {
        return Runners.jdbc(folder)
                .withConfiguration(AutoConfigurations.of(JndiDataSourceAutoConfiguration.class))
                .withSystemProperties(Context.INITIAL_CONTEXT_FACTORY + "=" + Names.class.getName())
                .withPropertyValues(
                        "spring.datasource.url=",
                        "spring.datasource.jndi-name=jdbc/app",
                        "litestream.replica.url=",
                        "litestream.databases.app.path=" + Runners.database(folder),
                        "litestream.databases.app.replica.url=file://" + folder.resolve("replica"));
    }

    @Test
    void database_isReplicatedAndRestored() throws Exception {
        application().run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(context.getBean(DataSource.class)).isInstanceOf(ReplicatedDataSource.class);
            JdbcClient jdbc = context.getBean(JdbcClient.class);
            jdbc.sql("create table t (x)").update();
            jdbc.sql("insert into t values (1)").update();
        });
        Runners.loseDisk(folder);
        application().run(context -> {
            assertThat(context.getBean(JdbcClient.class)
                            .sql("select count(*) from t")
                            .query(Long.class)
                            .single())
                    .isEqualTo(1);
            DatabaseStatus status = context.getBean(Litestream.class)
                    .database("app")
                    .orElseThrow()
                    .status();
            assertThat(status.path()).isEqualTo(Runners.database(folder));
        });
    }

    /** A container's directory with one name. */
    public static final class Names implements InitialContextFactory {

        @Override
        public Context getInitialContext(Hashtable<?, ?> environment) throws NamingException {
            return new InitialContext(true) {
                @Override
                public Object lookup(String name) throws NamingException {
                    if (bound == null || !name.equals("java:comp/env/jdbc/app")) {
                        throw new NameNotFoundException(name);
                    }
                    return bound;
                }

                @Override
                public void close() {}
            };
        }
    }
}
