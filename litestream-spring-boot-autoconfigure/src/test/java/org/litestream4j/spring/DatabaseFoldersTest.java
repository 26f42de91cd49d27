package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.ReplicaLocation;
import org.springframework.boot.LazyInitializationBeanFactoryPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** Databases without a {@code DataSource} bean: listed, found in a folder, registered while the application runs. */
class DatabaseFoldersTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private ApplicationContextRunner application(String pattern) {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(LitestreamAutoConfiguration.class))
                .withPropertyValues(
                        "litestream.sync-interval=100ms",
                        "litestream.databases.tenants.path=" + folder.resolve("data"),
                        "litestream.databases.tenants.pattern=" + pattern,
                        "litestream.databases.tenants.replica.url=file://" + folder.resolve("replica"));
    }

    private String url(String name) {
        return "jdbc:sqlite:" + folder.resolve("data").resolve(name);
    }

    private void create(String name) throws Exception {
        Files.createDirectories(folder.resolve("data").resolve(name).getParent());
        try (Connection connection = DriverManager.getConnection(url(name));
                Statement statement = connection.createStatement()) {
            statement.execute("create table t (x)");
            statement.execute("insert into t values (1)");
        }
    }

    private static List<String> names(ApplicationContext context) {
        return context.getBean(Litestream.class).databases().stream()
                .map(ManagedDatabase::name)
                .sorted()
                .toList();
    }

    @Test
    void databasesInAFolder_areReplicatedAsTheyComeAndGo() throws Exception {
        create("a.db");
        application("*.db").run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(names(context)).containsExactly("tenants:a.db");
            create("b.db");
            create("notes.txt");
            create("deeper/c.db");
            Files.createFile(folder.resolve("data/empty.db"));
            await().atMost(TIMEOUT)
                    .untilAsserted(() -> assertThat(names(context)).containsExactly("tenants:a.db", "tenants:b.db"));
            ManagedDatabase database =
                    context.getBean(Litestream.class).database("tenants:b.db").orElseThrow();
            database.sync(TIMEOUT);
            assertThat(folder.resolve("replica/b.db/ltx/0")).isDirectory();
            for (String suffix : List.of("", "-wal", "-shm")) {
                Files.deleteIfExists(folder.resolve("data/b.db" + suffix));
            }
            await().atMost(TIMEOUT)
                    .untilAsserted(() -> assertThat(names(context)).containsExactly("tenants:a.db"));
            create("b.db"); // a new one of the same name, on the same replica
            await().atMost(TIMEOUT)
                    .untilAsserted(() -> assertThat(names(context)).containsExactly("tenants:a.db", "tenants:b.db"));
            context.getBean(Litestream.class)
                    .database("tenants:b.db")
                    .orElseThrow()
                    .sync(TIMEOUT);
        });
    }

    @Test
    void subfolders_areSearchedIfThePatternSaysSo() throws Exception {
        create("a.db");
        create("eu/b.db");
        create("eu/deep er/c#1.db");
        create(".hidden/d.db");
        application("**/*.db").run(context -> {
            assertThat(names(context)).containsExactly("tenants:a.db", "tenants:eu:b.db", "tenants:eu:deep er:c#1.db");
            context.getBean(Litestream.class)
                    .database("tenants:eu:deep er:c#1.db")
                    .orElseThrow()
                    .sync(TIMEOUT);
            assertThat(folder.resolve("replica/eu/deep%20er/c%231.db/ltx/0")).isDirectory();
        });
    }

    @Test
    void oneThread_watchesAllFolders_andEndsWithTheContext() throws Exception {
        for (int i = 0; i < 30; i++) {
            create("tenant" + i + ".db");
        }
        Set<Thread> before = Set.copyOf(Thread.getAllStackTraces().keySet());
        application("*").run(context -> {
            assertThat(names(context)).hasSize(30);
            assertThat(threads("litestream-folders", before)).isEqualTo(1);
            assertThat(threads("litestream-", before)).isLessThan(20);
        });
        await().atMost(TIMEOUT).untilAsserted(() -> assertThat(threads("litestream-folders", before))
                .isZero());
    }

    private static long threads(String prefix, Set<Thread> others) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.isAlive() && thread.getName().startsWith(prefix) && !others.contains(thread))
                .count();
    }

    @Test
    void dataSourceMadeAtRunTime_isRestoredReplicatedAndSeen() throws Exception {
        application("*.db").run(context -> {
            LitestreamOperations operations = context.getBean(LitestreamOperations.class);
            try (HikariDataSource pool = new HikariDataSource()) {
                pool.setJdbcUrl(url("a.db"));
                assertThat(operations.replicate(pool)).isSameAs(pool);
                JdbcClient.create(pool).sql("create table t (x)").update();
                JdbcClient.create(pool).sql("insert into t values (1)").update();
                assertThat(JdbcClient.create(pool)
                                .sql("pragma wal_autocheckpoint")
                                .query(String.class)
                                .single())
                        .isEqualTo("0");
                operations.awaitReplicated("tenants:a.db", TIMEOUT);
            }
            DataSource other = operations.replicate(new DriverManagerDataSource(url("b.db")));
            JdbcClient.create(other).sql("create table t (x)").update();
            assertThat(names(context)).containsExactly("tenants:a.db", "tenants:b.db");
            assertThatThrownBy(() -> operations.replicate(
                            new DriverManagerDataSource("jdbc:sqlite:" + folder.resolve("elsewhere.db"))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("is not one of litestream.databases");
        });
        Runners.loseDisk(folder);
        application("*.db").run(context -> {
            assertThat(names(context)).as("nobody knows which there were").isEmpty();
            DataSource again =
                    context.getBean(LitestreamOperations.class).replicate(new DriverManagerDataSource(url("a.db")));
            assertThat(JdbcClient.create(again)
                            .sql("select count(*) from t")
                            .query(Long.class)
                            .single())
                    .isEqualTo(1);
        });
    }

    @Test
    void beanThatOpensADatabaseOfAFolder_isRestored() throws Exception {
        ApplicationContextRunner runner = application("*.db")
                .withBean("tenant", DataSource.class, () -> new DriverManagerDataSource(url("a.db")));
        runner.run(context -> {
            assertThat(context).hasNotFailed();
            JdbcClient.create(context.getBean(DataSource.class))
                    .sql("create table t as select 1 x")
                    .update();
        });
        Runners.loseDisk(folder);
        runner.run(context -> assertThat(JdbcClient.create(context.getBean(DataSource.class))
                        .sql("select count(*) from t")
                        .query(Long.class)
                        .single())
                .isEqualTo(1));
    }

    @Test
    void unregisteredByHand_staysSoUntilTheFileIsGone() throws Exception {
        create("a.db");
        application("*.db").run(context -> {
            context.getBean(Litestream.class).unregister("tenants:a.db");
            create("b.db");
            await().atMost(TIMEOUT)
                    .untilAsserted(() -> assertThat(names(context)).containsExactly("tenants:b.db"));
            context.getBean(LitestreamOperations.class).replicate(new DriverManagerDataSource(url("a.db")));
            assertThat(names(context)).containsExactly("tenants:a.db", "tenants:b.db");
        });
    }

    @Test
    void ownEntries_comeBeforeTheFolder() throws Exception {
        create("a.db");
        create("cache.db");
        application("*.db")
                .withPropertyValues(
                        "litestream.databases.main.path=" + folder.resolve("data/a.db"),
                        "litestream.databases.main.replica.url=file://" + folder.resolve("main"),
                        "litestream.databases.cache.path=" + folder.resolve("data/cache.db"),
                        "litestream.databases.cache.enabled=false")
                .run(context -> assertThat(names(context)).containsExactly("main"));
    }

    @Test
    void registrationInCode_isAsWithoutSpring() throws Exception {
        create("a.db");
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(LitestreamAutoConfiguration.class))
                .run(context -> {
                    Litestream litestream = context.getBean(Litestream.class);
                    DatabaseConfig config = DatabaseConfig.builder(
                                    folder.resolve("data/a.db"),
                                    ReplicaLocation.of("file://" + folder.resolve("replica")))
                            .name("a")
                            .build();
                    litestream.restoreIfMissing(config);
                    ManagedDatabase database = litestream.register(config);
                    DataSource dataSource = context.getBean(LitestreamOperations.class)
                            .replicate(new DriverManagerDataSource(url("a.db")));
                    JdbcClient.create(dataSource)
                            .sql("insert into t values (2)")
                            .update();
                    database.awaitReplicated(TIMEOUT);
                    litestream.unregister("a");
                    assertThat(litestream.databases()).isEmpty();
                });
        assertThat(rows("a.db")).isEqualTo(2);
    }

    @Test
    void lazyInitialization_isNotForDatabasesWithoutADataSource() throws Exception {
        create("a.db");
        application("*.db")
                .withInitializer(context ->
                        context.addBeanFactoryPostProcessor(new LazyInitializationBeanFactoryPostProcessor()))
                .run(context -> assertThat(names(context)).containsExactly("tenants:a.db"));
    }

    private long rows(String name) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url(name));
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select count(*) from t")) {
            return row.getLong(1);
        }
    }

    @Test
    void patternWithoutAFolder_isRefused() {
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(LitestreamAutoConfiguration.class))
                .withPropertyValues("litestream.databases.tenants.pattern=*.db")
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessage("litestream.databases.tenants.pattern is set, but .path is not."));
    }

    @Test
    void placeBelowAReplica_isEncodedAndKeepsParameters() {
        assertThat(ReplicaLocations.below(new ReplicaLocation("s3://bucket/base/?region=x", Map.of()), "a b/c?.db")
                        .url())
                .isEqualTo("s3://bucket/base/a%20b/c%3F.db?region=x");
        assertThat(ReplicaLocations.below(
                        new ReplicaLocation("s3://bucket", Map.of("path", "base", "region", "x")), "ä.db"))
                .isEqualTo(new ReplicaLocation("s3://bucket", Map.of("path", "base/ä.db", "region", "x")));
    }
}
