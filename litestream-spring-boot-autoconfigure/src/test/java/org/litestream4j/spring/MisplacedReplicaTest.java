package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Path;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.Litestream;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** The replica's settings apply to the primary DataSource, which is another system's; SQLite's is the second one. */
class MisplacedReplicaTest {

    private static final String H2 = "jdbc:h2:mem:misplaced";

    @TempDir
    Path folder;

    private ApplicationContextRunner beans(boolean sqliteFirst) {
        ApplicationContextRunner runner = Runners.jdbc(folder).withPropertyValues("spring.datasource.url=");
        runner = sqliteFirst ? runner.withBean("notes", DataSource.class, () -> pool(Runners.url(folder))) : runner;
        runner = runner.withBean("main", DataSource.class, () -> pool(H2), definition -> definition.setPrimary(true));
        return sqliteFirst ? runner : runner.withBean("notes", DataSource.class, () -> pool(Runners.url(folder)));
    }

    private static DataSource pool(String url) {
        return DataSourceBuilder.create().type(HikariDataSource.class).url(url).build();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void replicaOfAnotherSystem_besideAnUnreplicatedFile_failsTheStart(boolean sqliteFirst) {
        beans(sqliteFirst).run(context -> assertThat(context)
                .getFailure()
                .rootCause()
                .isInstanceOf(LitestreamSettingException.class)
                .hasMessage(
                        "The configured replica is for the DataSource \"main\", which is not SQLite's, and the SQLite"
                                + " database " + Runners.database(folder)
                                + " of the DataSource \"notes\" is not replicated."));
    }

    @Test
    void replicaOfAnotherSystemsUrl_besideAnUnreplicatedFile_failsTheStart() {
        Runners.jdbc(folder)
                .withPropertyValues("spring.datasource.url=" + H2)
                .withBean("notes", DataSource.class, () -> pool(Runners.url(folder)))
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(LitestreamSettingException.class)
                        .hasMessageContaining("is for spring.datasource.url, which is not SQLite's"));
    }

    @Test
    void secondDataSource_withItsOwnReplica_isReplicated() {
        beans(false)
                .withPropertyValues(
                        "litestream.replica.url=",
                        "litestream.databases.notes.replica.url=file://" + folder.resolve("replica"))
                .run(context -> assertThat(context.getBean(Litestream.class).databases())
                        .singleElement()
                        .satisfies(
                                database -> assertThat(database.config().path()).hasFileName("app.db")));
    }

    @Test
    void secondDataSource_thatNeedsNoReplica_doesNotFailTheStart() {
        beans(true)
                .withPropertyValues("litestream.databases.notes.enabled=false")
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void onlyAnotherSystem_asInADevelopmentProfile_doesNotFailTheStart() {
        Runners.jdbc(folder).withPropertyValues("spring.datasource.url=" + H2).run(context -> assertThat(context)
                .hasNotFailed());
    }
}
