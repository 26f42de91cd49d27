package org.litestream4j.spring.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.spring.LitestreamAutoConfiguration;
import org.litestream4j.spring.LitestreamOperations;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.data.jdbc.test.autoconfigure.DataJdbcTest;
import org.springframework.boot.data.jpa.test.autoconfigure.DataJpaTest;
import org.springframework.boot.jdbc.test.autoconfigure.AutoConfigureTestDatabase;
import org.springframework.boot.jdbc.test.autoconfigure.JdbcTest;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Sliced tests of an application that is replicated. */
class SlicesTest {

    @TempDir
    static Path folder;

    /** A URL of a {@code @DynamicPropertySource} would not be replaced. */
    private static final String URL = "spring.datasource.url=jdbc:sqlite:${test.folder}/app.db";

    private static void settings(DynamicPropertyRegistry registry, Path data) {
        registry.add("test.folder", data::toString);
        registry.add("litestream.replica.url", () -> "file://" + folder.resolve("replica"));
        registry.add("spring.liquibase.enabled", () -> false);
        registry.add("spring.flyway.enabled", () -> false);
    }

    private static void assertH2AndNothingReplicated(DataSource dataSource) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            assertThat(connection.getMetaData().getDatabaseProductName()).isEqualTo("H2");
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Nested
    @JdbcTest(properties = URL)
    class JdbcSlice {
        @Autowired
        DataSource dataSource;

        @Autowired
        ObjectProvider<Litestream> litestream;

        @DynamicPropertySource
        static void replicated(DynamicPropertyRegistry registry) {
            settings(registry, folder);
        }

        @Test
        void embeddedDatabase_isNotReplicated(@Autowired JdbcClient jdbc) throws SQLException {
            jdbc.sql("create table t (x int)").update();
            assertThat(litestream.getIfAvailable()).isNull();
            assertH2AndNothingReplicated(dataSource);
        }
    }

    @Nested
    @DataJdbcTest(properties = URL)
    class DataJdbcSlice {
        @DynamicPropertySource
        static void replicated(DynamicPropertyRegistry registry) {
            settings(registry, folder);
        }

        @Test
        void embeddedDatabase_isNotReplicated(
                @Autowired NoteRows rows,
                @Autowired JdbcClient jdbc,
                @Autowired DataSource dataSource,
                @Autowired ObjectProvider<Litestream> litestream)
                throws SQLException {
            jdbc.sql("create table \"note\" (id integer generated always as identity primary key, text varchar)")
                    .update();
            assertThat(rows.findAll()).isEmpty();
            assertThat(litestream.getIfAvailable()).isNull();
            assertH2AndNothingReplicated(dataSource);
        }
    }

    @Nested
    @DataJpaTest(properties = URL)
    class DataJpaSlice {
        @DynamicPropertySource
        static void replicated(DynamicPropertyRegistry registry) {
            settings(registry, folder);
        }

        @Test
        void embeddedDatabase_isNotReplicated(
                @Autowired Items items,
                @Autowired DataSource dataSource,
                @Autowired ObjectProvider<Litestream> litestream)
                throws SQLException {
            items.save(new Item());
            assertThat(items.count()).isEqualTo(1);
            assertThat(litestream.getIfAvailable()).isNull();
            assertH2AndNothingReplicated(dataSource);
        }
    }

    @Nested
    @JdbcTest(properties = URL)
    @AutoConfigureTestDatabase(replace = AutoConfigureTestDatabase.Replace.NONE)
    class SliceWithTheRealDatabase {
        @TempDir
        static Path data;

        @DynamicPropertySource
        static void replicated(DynamicPropertyRegistry registry) {
            settings(registry, data);
        }

        @Test
        void sqlite_isUsedAndNotReplicated(
                @Autowired JdbcClient jdbc, @Autowired ObjectProvider<Litestream> litestream) {
            jdbc.sql("create table t (x int)").update();
            assertThat(litestream.getIfAvailable()).isNull();
            assertThat(data.resolve("app.db")).exists();
        }
    }

    @Nested
    @JdbcTest(properties = URL)
    @AutoConfigureTestDatabase(replace = AutoConfigureTestDatabase.Replace.NONE)
    @ImportAutoConfiguration(LitestreamAutoConfiguration.class)
    @Transactional(propagation = Propagation.NOT_SUPPORTED)
    @DirtiesContext // or it would go on to write files while the folder is deleted
    class SliceThatAsksForReplication {
        @TempDir
        static Path data;

        @DynamicPropertySource
        static void replicated(DynamicPropertyRegistry registry) {
            settings(registry, data);
            registry.add("litestream.replica.url", () -> "file://" + data.resolve("replica"));
        }

        @Test
        void sqlite_isReplicated(@Autowired JdbcClient jdbc, @Autowired LitestreamOperations litestream) {
            jdbc.sql("create table t (x int)").update();
            litestream.awaitReplicated(Duration.ofSeconds(20));
            assertThat(data.resolve("replica/ltx/0")).isNotEmptyDirectory();
        }
    }

    @Nested
    @SpringBootTest(webEnvironment = WebEnvironment.NONE, properties = URL)
    @AutoConfigureTestDatabase(replace = AutoConfigureTestDatabase.Replace.ANY)
    class WholeApplicationWithAnEmbeddedDatabase {
        @DynamicPropertySource
        static void replicated(DynamicPropertyRegistry registry) {
            settings(registry, folder);
            registry.add("litestream.databases.dataSource.durability", () -> "replicated");
        }

        @Test
        void neitherDatabase_isReplicated(
                @Autowired JdbcClient jdbc, @Autowired DataSource dataSource, @Autowired Litestream litestream)
                throws SQLException {
            jdbc.sql("create table t (x int)").update();
            assertThat(litestream.databases()).isEmpty();
            assertH2AndNothingReplicated(dataSource);
        }
    }
}
