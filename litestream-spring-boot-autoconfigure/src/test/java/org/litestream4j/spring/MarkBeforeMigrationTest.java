package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.Mark;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreTarget;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.liquibase.autoconfigure.LiquibaseAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.jdbc.core.simple.JdbcClient;

/** A mark is set before Flyway or Liquibase changes a database that has content, and only then. */
class MarkBeforeMigrationTest {

    private static final String ON = "litestream.marks.before-migration=true";

    @TempDir
    Path folder;

    private List<Mark> marksAfter(ApplicationContextRunner runner) {
        List<Mark> marks = new ArrayList<>();
        runner.run(context -> {
            assertThat(context).hasNotFailed();
            marks.addAll(context.getBean(Litestream.class)
                    .database("app.db")
                    .orElseThrow()
                    .marks());
        });
        return marks;
    }

    private List<String> tablesOf(Mark mark, String table) {
        List<String> columns = new ArrayList<>();
        Runners.jdbc(folder).run(context -> {
            Path restored = folder.resolve(mark.name() + ".db");
            context.getBean(Litestream.class)
                    .database("app.db")
                    .orElseThrow()
                    .restoreTo(
                            restored,
                            RestoreOptions.builder()
                                    .target(RestoreTarget.mark(mark.name()))
                                    .build());
            columns.addAll(JdbcClient.create(new org.sqlite.SQLiteDataSource() {
                        {
                            setUrl("jdbc:sqlite:" + restored);
                        }
                    })
                    .sql("select name from pragma_table_info('" + table + "')")
                    .query(String.class)
                    .list());
        });
        return columns;
    }

    @Test
    void flyway_marksBeforePendingMigrationsOfADatabaseWithContent() {
        assertThat(marksAfter(Runners.flyway(folder).withPropertyValues(ON)))
                .as("a new database")
                .isEmpty();
        assertThat(marksAfter(Runners.flyway(folder).withPropertyValues(ON)))
                .as("nothing pending")
                .isEmpty();
        ApplicationContextRunner second = Runners.flyway(folder)
                .withPropertyValues(
                        ON,
                        "spring.flyway.locations=classpath:db/notes2",
                        "spring.datasource.hikari.maximum-pool-size=1",
                        "litestream.marks.before-migration-keep=5d");
        List<Mark> marks = marksAfter(second);
        assertThat(marks).singleElement().satisfies(mark -> {
            assertThat(mark.name()).matches("before-migration-2\\.1-\\d{8}T\\d{6}Z");
            assertThat(mark.expires()).isEqualTo(mark.created().plus(Duration.ofDays(5)));
        });
        assertThat(tablesOf(marks.get(0), "note")).isNotEmpty().doesNotContain("added");
        assertThat(marksAfter(second)).as("a restart").isEqualTo(marks);
    }

    @Test
    void onlyMarksThatLastLongEnough_protect() {
        Instant now = Instant.parse("2026-03-01T12:00:00Z");
        Duration keep = Duration.ofDays(30);
        assertThat(MarkBeforeMigration.protects(mark(now, null), keep, now)).isTrue();
        assertThat(MarkBeforeMigration.protects(mark(now, now.plus(keep)), keep, now))
                .isTrue();
        assertThat(MarkBeforeMigration.protects(mark(now, now.plus(keep)), keep, now.plusSeconds(3600)))
                .isTrue();
        assertThat(MarkBeforeMigration.protects(mark(now, now.plus(Duration.ofDays(28))), keep, now))
                .isFalse();
        assertThat(MarkBeforeMigration.protects(mark(now, now.minusSeconds(1)), keep, now))
                .isFalse();
    }

    private static Mark mark(Instant created, @Nullable Instant expires) {
        return new Mark("m", new Txid(1), created, created, expires);
    }

    @Test
    void flywayWithoutTheSetting_setsNoMarks() {
        marksAfter(Runners.flyway(folder));
        assertThat(marksAfter(Runners.flyway(folder).withPropertyValues("spring.flyway.locations=classpath:db/notes2")))
                .isEmpty();
    }

    @Test
    void liquibase_marksBeforePendingChangeSets() {
        ApplicationContextRunner runner = Runners.jdbc(folder)
                .withConfiguration(AutoConfigurations.of(LiquibaseAutoConfiguration.class))
                .withPropertyValues(ON, "spring.datasource.hikari.maximum-pool-size=1");
        String changeLog = "spring.liquibase.change-log=classpath:db/changelog/";
        ApplicationContextRunner first = runner.withPropertyValues(changeLog + "notes2.sql");
        assertThat(marksAfter(first)).as("a new database").isEmpty();
        assertThat(marksAfter(first)).as("nothing pending").isEmpty();
        List<Mark> marks = marksAfter(runner.withPropertyValues(changeLog + "notes3.sql"));
        assertThat(marks).singleElement().satisfies(mark -> assertThat(mark.name())
                .matches("before-migration-(first|second)-\\d{8}T\\d{6}Z"));
        assertThat(tablesOf(marks.get(0), "liquid")).containsExactly("x");
    }

    @Test
    void unreachableReplica_failsTheStart() {
        marksAfter(Runners.flyway(folder));
        Runners.flyway(folder)
                .withBean(UnreachableReplicaProvider.class)
                .withPropertyValues(
                        ON,
                        "spring.flyway.locations=classpath:db/notes2",
                        "litestream.replica.url=unreachable://store/app",
                        "litestream.marks.before-migration-timeout=200ms")
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageContaining("cannot be marked before its migration"));
    }
}
