package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import jakarta.persistence.Entity;
import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import jakarta.persistence.Id;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.persistence.autoconfigure.EntityScan;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.PriorityOrdered;
import org.springframework.core.env.Environment;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Whoever opens the database first, and however early: what was lost is there again. */
@ExtendWith(OutputCaptureExtension.class)
class RestoreOrderTest {

    @TempDir
    Path folder;

    @Test
    void lazyPool_findsTheRestoredDatabase(CapturedOutput output) throws Exception {
        comesBack(Runners.jdbc(folder));
        assertThat(output).doesNotContain("too early");
    }

    @Test
    void poolThatConnectsInItsConstructor_findsTheRestoredDatabase() throws Exception {
        comesBack(Runners.jdbc(folder).withUserConfiguration(EagerPool.class));
    }

    @Test
    void poolOpenedByAnEarlyPostProcessor_findsTheRestoredDatabaseAndIsWarnedOf(CapturedOutput output)
            throws Exception {
        comesBack(Runners.jdbc(folder).withUserConfiguration(EagerPool.class, EarlyOpener.class));
        assertThat(output).contains("DataSource was created too early to be wrapped: db=app.db bean=dataSource");
    }

    @Test
    void lazyInitialization_findsTheRestoredDatabase() throws Exception {
        comesBack(Runners.jdbc(folder)
                .withInitializer(context -> context.addBeanFactoryPostProcessor(
                        new org.springframework.boot.LazyInitializationBeanFactoryPostProcessor())));
    }

    @Test
    void connectionFetchLazy_findsTheRestoredDatabase() throws Exception {
        comesBack(Runners.jdbc(folder).withPropertyValues("spring.datasource.connection-fetch=lazy"));
    }

    @Test
    void flyway_findsItsHistory() throws Exception {
        flywayComesBack(Runners.flyway(folder));
    }

    @Test
    void flywayWithItsOwnUrl_findsItsHistory() throws Exception {
        flywayComesBack(Runners.flyway(folder).withPropertyValues("spring.flyway.url=" + Runners.url(folder)));
    }

    @Test
    void flywayWithItsOwnUrlAndLazyDataSource_findsItsHistory() throws Exception {
        flywayComesBack(Runners.flyway(folder)
                .withUserConfiguration(LazyPool.class)
                .withPropertyValues("spring.flyway.url=" + Runners.url(folder)));
    }

    @Test
    void jpa_findsItsTables() throws Exception {
        ApplicationContextRunner runner = Runners.jpa(folder).withUserConfiguration(Entities.class);
        runner.run(context -> inTransaction(context, manager -> manager.persist(new Note(1, "kept"))));
        Runners.loseDisk(folder);
        runner.run(context -> inTransaction(context, manager -> assertThat(manager.find(Note.class, 1L).text)
                .isEqualTo("kept")));
    }

    @Test
    void restoreNever_beginsEmpty() throws Exception {
        Runners.flyway(folder).run(RestoreOrderTest::addNote);
        Runners.loseDisk(folder);
        Runners.flyway(folder)
                .withPropertyValues(
                        "litestream.restore.on-startup=never",
                        "litestream.replica.url=file://" + folder.resolve("replica2"))
                .run(context -> assertThat(notes(context)).isZero());
    }

    private void comesBack(ApplicationContextRunner runner) throws Exception {
        runner.run(context -> {
            context.getBean(JdbcClient.class)
                    .sql("create table note (id integer primary key, text text not null)")
                    .update();
            addNote(context);
        });
        Runners.loseDisk(folder);
        runner.run(context -> {
            assertThat(notes(context)).isEqualTo(1);
            addNote(context);
        });
        Runners.loseDisk(folder);
        runner.run(context -> assertThat(notes(context)).isEqualTo(2));
    }

    private void flywayComesBack(ApplicationContextRunner runner) throws Exception {
        runner.run(RestoreOrderTest::addNote);
        Runners.loseDisk(folder);
        runner.run(context -> {
            assertThat(notes(context)).isEqualTo(1); // an applied V1 on an empty database would leave none
            MigrationInfo[] applied = context.getBean(Flyway.class).info().applied();
            assertThat(applied)
                    .extracting(info -> info.getVersion().getVersion())
                    .containsExactly("1");
        });
    }

    private static void addNote(ApplicationContext context) {
        context.getBean(JdbcClient.class)
                .sql("insert into note (text) values ('kept')")
                .update();
    }

    private static long notes(ApplicationContext context) {
        return context.getBean(JdbcClient.class)
                .sql("select count(*) from note")
                .query(Long.class)
                .single();
    }

    private static void inTransaction(ApplicationContext context, java.util.function.Consumer<EntityManager> work) {
        try (EntityManager manager = context.getBean(EntityManagerFactory.class).createEntityManager()) {
            manager.getTransaction().begin();
            work.accept(manager);
            manager.getTransaction().commit();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class EagerPool {
        @Bean
        DataSource dataSource(Environment environment) {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(environment.getProperty("spring.datasource.url"));
            return new HikariDataSource(config);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class LazyPool {
        @Bean
        @Lazy
        DataSource dataSource(Environment environment) {
            HikariDataSource pool = new HikariDataSource();
            pool.setJdbcUrl(environment.getProperty("spring.datasource.url"));
            return pool;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class EarlyOpener {
        @Bean
        static Opener opener(BeanFactory beanFactory) throws SQLException {
            try (Connection connection = beanFactory.getBean(DataSource.class).getConnection()) {
                assertThat(connection.isReadOnly()).isFalse();
            }
            return new Opener();
        }

        static final class Opener implements BeanPostProcessor, PriorityOrdered {
            @Override
            public int getOrder() {
                return HIGHEST_PRECEDENCE;
            }
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EntityScan(basePackageClasses = Entities.class)
    static class Entities {}

    @Entity(name = "note")
    static class Note {
        @Id
        long id;

        String text;

        Note() {
            this(0, "");
        }

        Note(long id, String text) {
            this.id = id;
            this.text = text;
        }
    }
}
