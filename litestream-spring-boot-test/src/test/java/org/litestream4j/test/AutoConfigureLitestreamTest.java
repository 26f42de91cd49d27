package org.litestream4j.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.test.LitestreamAssertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.litestream4j.DatabaseState;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ltx.Txid;
import org.litestream4j.test.TestApplication.Notes;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.jdbc.test.autoconfigure.JdbcTest;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Test classes with the annotation, and what they can assert. */
class AutoConfigureLitestreamTest {

    // The settings of the application name a database and a replica that no test may touch.
    @SpringBootTest(
            properties = {
                "spring.datasource.url=jdbc:sqlite:/nowhere/app.db",
                "litestream.replica.url=s3://production/app?endpoint=http://127.0.0.1:1"
            })
    @AutoConfigureLitestream
    @Nested
    class WholeApplication {

        @Autowired
        private Notes notes;

        @Autowired
        private Litestream litestream;

        private ManagedDatabase database() {
            return litestream.database("app.db").orElseThrow();
        }

        @Test
        void rows_areInTheRestoredDatabase() {
            notes.add("first", null);
            Txid before = assertThat(database()).isRestorable().txid();
            notes.add("second", 5);
            Map<String, Object> first = new HashMap<>();
            first.put("text", "first");
            first.put("stars", null);
            assertThat(database())
                    .hasState(DatabaseState.REPLICATING)
                    .isReplicatedWithin(Duration.ofSeconds(10))
                    .isRestorable()
                    .hasRow("note", first)
                    .hasRow("note", Map.of("text", "second", "stars", 5))
                    .hasResult("select 1 from note where stars > ?", 4)
                    .restoredAt(before)
                    .hasRow("note", first)
                    .hasNoRow("note", Map.of("text", "second"));
        }

        @Test
        void wrongExpectations_fail() {
            notes.add("kept", 1);
            RestoredDatabaseAssert restored = assertThat(database()).isRestorable();
            assertThatThrownBy(() -> restored.hasRow("note", Map.of("text", "lost")))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("has no row {text=lost} in note")
                    .hasMessageContaining("app.db at " + restored.txid());
            assertThatThrownBy(() -> restored.hasNoRow("note", Map.of("text", "kept")))
                    .isInstanceOf(AssertionError.class);
            assertThatThrownBy(() -> restored.hasRowCount("note", 1000)).isInstanceOf(AssertionError.class);
            assertThatThrownBy(() -> restored.hasResult("select 1 where ?", false))
                    .isInstanceOf(AssertionError.class);
            assertThatThrownBy(() -> restored.hasRow("no_table", Map.of()))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("no_table");
            assertThatThrownBy(() -> restored.restoredAt(Txid.parse("00000000000fffff")))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("cannot be restored");
            assertThatThrownBy(() -> assertThat(database()).hasState(DatabaseState.PASSIVE))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("REPLICATING");
        }

        @Test
        void folders_areDeletedWithTheContext(@Autowired ConfigurableApplicationContext context) {
            Path folder = database().config().path().getParent().getParent();
            assertThat(folder).isNotEmptyDirectory();
            TestFolders folders = TestFolders.of(context);
            assertThat(folders).isNotNull();
            assertThat(folders.replica()).startsWith(folder);
        }
    }

    @SpringBootTest(properties = "litestream.sync-interval=1h") // later commits wait; the last upload sends them
    @AutoConfigureLitestream
    @Nested
    @TestMethodOrder(MethodOrderer.MethodName.class) // the new context comes after the lost one
    class LosingTheDisk {

        @Test
        void zNextTest_hasANewContext(@Autowired ConfigurableApplicationContext context, @Autowired Notes notes) {
            assertThat(context.isActive()).isTrue();
            assertThat(notes.count()).isZero();
        }

        @Test
        void unreplicatedChanges_areLost_theOthersAreBack(
                @Autowired ConfigurableApplicationContext context,
                @Autowired Notes notes,
                @Autowired Litestream litestream)
                throws Exception {
            notes.add("kept", 1);
            ManagedDatabase database = litestream.database("app.db").orElseThrow();
            assertThat(database).isRestorable();
            notes.add("lost", 1);
            assertThat(notes.count()).isEqualTo(2);
            Path folder = database.config().path().getParent().getParent();
            LostDisk lost = LostDisk.simulate(context);
            assertThat(context.isActive()).isFalse();
            assertThat(lost.files()).contains(database.config().path()).allSatisfy(file -> assertThat(file)
                    .doesNotExist());
            try (ConfigurableApplicationContext restarted = lost.restart()) {
                assertThat(restarted.getBean(Notes.class).count()).isEqualTo(1);
                assertThat(restarted
                                .getBean(Litestream.class)
                                .database("app.db")
                                .orElseThrow())
                        .isRestorable()
                        .hasRow("note", Map.of("text", "kept"));
            }
            assertThat(folder).doesNotExist();
        }
    }

    @JdbcTest
    @AutoConfigureLitestream
    @Transactional(propagation = Propagation.NOT_SUPPORTED)
    @Nested
    class Slice {

        @Test
        void slice_isReplicated(@Autowired JdbcClient jdbc, @Autowired Litestream litestream) {
            jdbc.sql("create table t (a)").update();
            jdbc.sql("insert into t values (1)").update();
            assertThat(litestream.database("app.db").orElseThrow())
                    .isRestorable()
                    .hasRow("t", Map.of("a", 1));
        }
    }

    @SpringBootTest(properties = "spring.datasource.url=jdbc:sqlite::memory:")
    @AutoConfigureLitestream(enabled = false)
    @Nested
    class SwitchedOff {

        @Test
        void nothing_isReplicated(@Autowired ConfigurableApplicationContext context) {
            assertThat(context.getBeanProvider(Litestream.class).getIfAvailable())
                    .isNull();
            assertThatThrownBy(() -> LostDisk.simulate(context))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("replicates no database");
        }
    }
}
