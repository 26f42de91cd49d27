package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.table;

import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.data.jdbc.autoconfigure.DataJdbcRepositoriesAutoConfiguration;
import org.springframework.boot.data.jpa.autoconfigure.DataJpaRepositoriesAutoConfiguration;
import org.springframework.boot.jooq.autoconfigure.JooqAutoConfiguration;
import org.springframework.boot.liquibase.autoconfigure.LiquibaseAutoConfiguration;
import org.springframework.boot.persistence.autoconfigure.EntityScan;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ContextConsumer;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.data.annotation.Id;
import org.springframework.data.jdbc.core.dialect.JdbcArrayColumns;
import org.springframework.data.jdbc.core.dialect.JdbcDialect;
import org.springframework.data.jdbc.repository.config.EnableJdbcRepositories;
import org.springframework.data.jpa.repository.config.EnableJpaRepositories;
import org.springframework.data.relational.core.dialect.AnsiDialect;
import org.springframework.data.relational.core.mapping.Table;
import org.springframework.data.repository.CrudRepository;
import org.springframework.jdbc.core.simple.JdbcClient;

/** The database is lost, the application starts again: migrations find their history, everybody finds the data. */
class FrameworksTest {

    @TempDir
    Path folder;

    /** Runs an application that writes, takes its disk away, and runs it again. */
    private void loseBetween(
            ApplicationContextRunner runner,
            ContextConsumer<AssertableApplicationContext> before,
            ContextConsumer<AssertableApplicationContext> after)
            throws Exception {
        runner.run(context -> {
            assertThat(context).hasNotFailed();
            before.accept(context);
        });
        Runners.loseDisk(folder);
        runner.run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(context.getBean(Litestream.class).databases()).hasSize(1);
            after.accept(context);
        });
        Runners.loseDisk(folder);
        runner.run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void liquibase_findsItsHistory() throws Exception {
        liquibaseComesBack(liquibase());
    }

    @Test
    void liquibaseWithItsOwnUrl_findsItsHistory() throws Exception {
        liquibaseComesBack(liquibase().withPropertyValues("spring.liquibase.url=" + Runners.url(folder)));
    }

    @Test
    void liquibaseAndLazyInitialization_findItsHistory() throws Exception {
        liquibaseComesBack(liquibase()
                .withInitializer(context -> context.addBeanFactoryPostProcessor(
                        new org.springframework.boot.LazyInitializationBeanFactoryPostProcessor())));
    }

    private ApplicationContextRunner liquibase() {
        return Runners.jdbc(folder)
                .withConfiguration(AutoConfigurations.of(LiquibaseAutoConfiguration.class))
                .withPropertyValues("spring.liquibase.change-log=classpath:db/changelog/notes.sql");
    }

    private void liquibaseComesBack(ApplicationContextRunner runner) throws Exception {
        loseBetween(runner, context -> insert(context, "kept"), context -> {
            assertThat(texts(context)).containsExactly("from the migration", "kept");
            assertThat(context.getBean(JdbcClient.class)
                            .sql("select count(distinct deployment_id) from databasechangelog")
                            .query(Long.class)
                            .single())
                    .as("all changes are of the first run")
                    .isEqualTo(1);
            assertThat(context.getBean(JdbcClient.class)
                            .sql("select count(*) from databasechangelog")
                            .query(Long.class)
                            .single())
                    .isEqualTo(2);
        });
    }

    @Test
    void jooq_findsItsRows() throws Exception {
        loseBetween(
                Runners.flyway(folder)
                        .withConfiguration(AutoConfigurations.of(JooqAutoConfiguration.class))
                        .withPropertyValues("spring.jooq.sql-dialect=SQLITE"),
                context -> {
                    DSLContext jooq = context.getBean(DSLContext.class);
                    jooq.transaction(inner -> inner.dsl()
                            .insertInto(table("note"), field("text"))
                            .values("kept")
                            .execute());
                    assertThat(jooq.insertInto(table("note"), field("text"))
                                    .values("returned")
                                    .returning(field("id"))
                                    .fetch())
                            .hasSize(1);
                },
                context -> assertThat(context.getBean(DSLContext.class)
                                .select(field("text", String.class))
                                .from(table("note"))
                                .orderBy(field("id"))
                                .fetch()
                                .getValues(0))
                        .isEqualTo(java.util.List.of("kept", "returned")));
    }

    @Test
    void springDataJdbc_findsItsRows() throws Exception {
        loseBetween(
                Runners.flyway(folder)
                        .withUserConfiguration(JdbcRepositories.class)
                        .withConfiguration(AutoConfigurations.of(DataJdbcRepositoriesAutoConfiguration.class)),
                context -> assertThat(context.getBean(Notes.class)
                                .save(new NoteRow(null, "kept"))
                                .id())
                        .isEqualTo(1),
                context -> assertThat(context.getBean(Notes.class).findById(1L))
                        .hasValueSatisfying(row -> assertThat(row.text()).isEqualTo("kept")));
    }

    @Test
    void springDataJpa_findsItsRows() throws Exception {
        loseBetween(
                Runners.jpa(folder)
                        .withUserConfiguration(JpaRepositories.class)
                        .withConfiguration(AutoConfigurations.of(DataJpaRepositoriesAutoConfiguration.class)),
                context -> {
                    Thing thing = new Thing();
                    thing.text = "kept";
                    context.getBean(Things.class).save(thing);
                },
                context -> {
                    Optional<Thing> found = context.getBean(Things.class).findById(1L);
                    assertThat(found)
                            .hasValueSatisfying(thing -> assertThat(thing.text).isEqualTo("kept"));
                });
    }

    @Test
    void sqlScripts_findTheirTables() throws Exception {
        Path schema = Files.writeString(
                folder.resolve("schema.sql"), "create table if not exists note (id integer primary key, text text);");
        loseBetween(
                Runners.jdbc(folder)
                        .withConfiguration(AutoConfigurations.of(
                                org.springframework.boot.jdbc.autoconfigure.DataSourceInitializationAutoConfiguration
                                        .class))
                        .withPropertyValues(
                                "spring.sql.init.mode=always", "spring.sql.init.schema-locations=file:" + schema),
                context -> insert(context, "kept"),
                context -> assertThat(texts(context)).containsExactly("kept"));
    }

    private static void insert(ApplicationContext context, String text) {
        context.getBean(JdbcClient.class)
                .sql("insert into note (text) values (?)")
                .param(text)
                .update();
    }

    private static java.util.List<String> texts(ApplicationContext context) {
        return context.getBean(JdbcClient.class)
                .sql("select text from note order by id")
                .query(String.class)
                .list();
    }

    @Table("note")
    record NoteRow(@Id @Nullable Long id, String text) {}

    interface Notes extends CrudRepository<NoteRow, Long> {}

    @Entity(name = "thing")
    static class Thing {
        @jakarta.persistence.Id
        @GeneratedValue(strategy = GenerationType.IDENTITY)
        @Nullable
        Long id;

        String text = "";
    }

    interface Things extends CrudRepository<Thing, Long> {}

    @Configuration(proxyBeanMethods = false)
    @EnableJdbcRepositories(
            considerNestedRepositories = true,
            basePackageClasses = FrameworksTest.class,
            includeFilters =
                    @org.springframework.context.annotation.ComponentScan.Filter(
                            type = org.springframework.context.annotation.FilterType.ASSIGNABLE_TYPE,
                            classes = Notes.class))
    static class JdbcRepositories {
        /** Spring Data has none for SQLite. */
        @Bean
        JdbcDialect dialect() {
            return new SqliteDialect();
        }
    }

    private static final class SqliteDialect extends AnsiDialect implements JdbcDialect {
        @Override
        public JdbcArrayColumns getArraySupport() {
            return JdbcArrayColumns.Unsupported.INSTANCE;
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EntityScan(basePackageClasses = FrameworksTest.class)
    @EnableJpaRepositories(
            considerNestedRepositories = true,
            basePackageClasses = FrameworksTest.class,
            includeFilters =
                    @org.springframework.context.annotation.ComponentScan.Filter(
                            type = org.springframework.context.annotation.FilterType.ASSIGNABLE_TYPE,
                            classes = Things.class))
    static class JpaRepositories {}
}
