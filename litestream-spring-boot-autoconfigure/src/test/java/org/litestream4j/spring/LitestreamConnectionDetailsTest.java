package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Who knows better than the settings where the replica is, is believed. */
class LitestreamConnectionDetailsTest {

    @TempDir
    Path folder;

    @Test
    void withoutDetails_theyAreTheSettings() {
        Runners.jdbc(folder)
                .withPropertyValues("litestream.replica.s3.region=eu-central-1")
                .run(context -> {
                    LitestreamConnectionDetails details = context.getBean(LitestreamConnectionDetails.class);
                    assertThat(details.getUrl()).isEqualTo("file://" + folder.resolve("replica"));
                    assertThat(details.getSettings("s3")).containsEntry("region", "eu-central-1");
                });
    }

    @Test
    void detailsOfTheUrl_areUsed_andRestoredFrom() throws Exception {
        Details details = new Details("file://" + folder.resolve("elsewhere"), Map.of());
        Runners.jdbc(folder)
                .withBean(LitestreamConnectionDetails.class, () -> details)
                .run(context -> {
                    JdbcClient client = context.getBean(JdbcClient.class);
                    client.sql("CREATE TABLE note(text)").update();
                    client.sql("INSERT INTO note VALUES ('kept elsewhere')").update();
                    context.getBean(Litestream.class)
                            .database("app.db")
                            .orElseThrow()
                            .sync(Duration.ofSeconds(20));
                });
        assertThat(folder.resolve("elsewhere/ltx")).isDirectory();
        assertThat(folder.resolve("replica")).doesNotExist();
        Runners.loseDisk(folder);
        Runners.jdbc(folder)
                .withBean(LitestreamConnectionDetails.class, () -> details)
                .run(context -> assertThat(context.getBean(JdbcClient.class)
                                .sql("SELECT text FROM note")
                                .query(String.class)
                                .single())
                        .isEqualTo("kept elsewhere"));
    }

    /** As of a Compose file with a store for the replica, and others for other purposes. */
    @Test
    void severalDetails_theOneOfTheScheme() {
        Runners.jdbc(folder)
                .withBean("minio", LitestreamConnectionDetails.class, () -> new Details(null, Map.of("endpoint", "x")))
                .withBean("queue", LitestreamConnectionDetails.class, () -> new Details(null, Map.of()))
                .run(context -> assertThat(context).hasNotFailed());
        LitestreamConnectionDetails details = new SeveralConnectionDetails(Map.of(
                "minio", new Details(null, Map.of("endpoint", "http://localhost:1234")),
                "queue", new Details(null, Map.of())));
        assertThat(details.getUrl()).isNull();
        assertThat(details.getSettings("nats")).isEmpty();
        assertThat(details.getSettings("s3")).containsOnly(Map.entry("endpoint", "http://localhost:1234"));
    }

    @Test
    void severalDetailsOfTheScheme_areNamed() {
        Runners.jdbc(folder)
                .withPropertyValues("litestream.replica.url=s3://app")
                .withBean("minio", LitestreamConnectionDetails.class, () -> new Details(null, Map.of("endpoint", "x")))
                .withBean(
                        "localstack", LitestreamConnectionDetails.class, () -> new Details(null, Map.of("region", "y")))
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(LitestreamSettingException.class)
                        .hasMessageContaining("\"localstack\" and \"minio\"")
                        .hasMessageContaining("s3://"));
    }

    @Test
    void settingsOfTheDetails_beatAllOthers_andLeaveTheRest() {
        Map<String, String> replicas = new HashMap<>();
        Details details = new Details(null, Map.of("endpoint", "http://localhost:1234", "session-token", ""));
        for (DatabaseConfig config : new DatabaseConfigs(
                        bind(Map.of(
                                "litestream.replica.url", "s3://app/path",
                                "litestream.replica.s3.endpoint", "https://production.example.org",
                                "litestream.replica.s3.session-token", "a token of other keys",
                                "litestream.replica.s3.storage-class", "STANDARD_IA",
                                "litestream.databases.audit.path",
                                        folder.resolve("audit.db").toString(),
                                "litestream.databases.audit.replica.url", "s3://audit",
                                "litestream.databases.audit.replica.s3.endpoint", "https://audit.example.org",
                                "litestream.databases.audit.replica.s3.region", "eu-west-1")),
                        () -> Optional.of("jdbc:sqlite:" + folder.resolve("app.db")),
                        details,
                        DataSourceBeans.NONE)
                .create()) {
            replicas.put(config.name(), config.replica().url());
            assertThat(config.replica().settings())
                    .containsEntry("endpoint", "http://localhost:1234")
                    .containsEntry("storage-class", "STANDARD_IA")
                    .containsEntry("session-token", "");
        }
        assertThat(replicas).containsOnly(Map.entry("app.db", "s3://app/path"), Map.entry("audit", "s3://audit"));
    }

    @Test
    void settingsOfAnotherScheme_areLeftAlone() {
        assertThat(new DatabaseConfigs(
                                bind(Map.of("litestream.replica.url", "file:///backup")),
                                () -> Optional.of("jdbc:sqlite:" + folder.resolve("app.db")),
                                new Details(null, Map.of("endpoint", "http://localhost:1234")),
                                DataSourceBeans.NONE)
                        .create())
                .singleElement()
                .satisfies(config -> assertThat(config.replica().settings()).isEmpty());
    }

    @Test
    void foldersAndBeans_haveTheSettings_butPlacesOfTheirOwn() {
        DatabaseConfigs configs = new DatabaseConfigs(
                bind(Map.of(
                        "litestream.databases.orders.replica.url", "s3://orders",
                        "litestream.databases.orders.replica.s3.endpoint", "https://orders.example.org",
                        "litestream.databases.tenants.path",
                                folder.resolve("tenants").toString(),
                        "litestream.databases.tenants.pattern", "*.db",
                        "litestream.databases.tenants.replica.url", "s3://tenants/all")),
                Optional::empty,
                new Details("s3://app", Map.of("endpoint", "http://localhost:1234")),
                new DataSourceBeans(List.of("dataSource", "orders"), "dataSource", false));
        assertThat(configs.create()).isEmpty();
        DatabaseFolder tenants = configs.folders().get(0);
        List<DatabaseConfig> all = List.of(
                configs.ofBean("dataSource", folder.resolve("app.db")).orElseThrow(),
                configs.ofBean("orders", folder.resolve("orders.db")).orElseThrow(),
                configs.inFolder(tenants, folder.resolve("tenants/acme.db")));
        assertThat(all)
                .extracting(config -> config.replica().url())
                .containsExactly("s3://app", "s3://orders", "s3://tenants/all/acme.db");
        assertThat(all).allSatisfy(config -> assertThat(config.replica().settings())
                .containsEntry("endpoint", "http://localhost:1234"));
    }

    /** The main bean's database, which no setting knows, goes to the place of the details; those of a folder to the folder's. */
    @Test
    void beanAndFolder_areReplicatedAndRestored() throws Exception {
        Path tenant = folder.resolve("tenants/acme.db");
        Files.createDirectories(tenant.getParent());
        for (int start = 0; start < 2; start++) {
            ApplicationContextRunner application = Runners.jdbc(folder)
                    .withPropertyValues(
                            "spring.datasource.url=",
                            "litestream.replica.url=",
                            "litestream.databases.tenants.path=" + tenant.getParent(),
                            "litestream.databases.tenants.pattern=*.db",
                            "litestream.databases.tenants.replica.url=file://" + folder.resolve("tenant-replicas"))
                    .withBean(
                            LitestreamConnectionDetails.class,
                            () -> new Details("file://" + folder.resolve("elsewhere"), Map.of()))
                    .withBean(
                            "main",
                            DataSource.class,
                            () -> pool(Runners.database(folder)),
                            definition -> definition.setPrimary(true))
                    .withBean("acme", DataSource.class, () -> pool(tenant));
            int rows = start;
            application.run(context -> {
                assertThat(context).hasNotFailed();
                for (String bean : List.of("main", "acme")) {
                    JdbcClient client = JdbcClient.create(context.getBean(bean, DataSource.class));
                    client.sql("CREATE TABLE IF NOT EXISTS note(text)").update();
                    assertThat(client.sql("SELECT count(*) FROM note")
                                    .query(Integer.class)
                                    .single())
                            .isEqualTo(rows);
                    client.sql("INSERT INTO note VALUES ('kept')").update();
                }
                context.getBean(LitestreamOperations.class).awaitReplicated(Duration.ofSeconds(20));
            });
            assertThat(folder.resolve("elsewhere/ltx")).isDirectory();
            assertThat(folder.resolve("tenant-replicas/acme.db/ltx")).isDirectory();
            Runners.loseDisk(folder);
            Files.delete(tenant);
        }
    }

    private static HikariDataSource pool(Path database) {
        HikariDataSource pool = new HikariDataSource();
        pool.setJdbcUrl("jdbc:sqlite:" + database);
        return pool;
    }

    private static LitestreamProperties bind(Map<String, String> settings) {
        return new Binder(new MapConfigurationPropertySource(settings))
                .bindOrCreate("litestream", LitestreamProperties.class);
    }

    /** Of an S3 store. */
    private record Details(@Nullable String url, Map<String, String> s3) implements LitestreamConnectionDetails {

        @Override
        public @Nullable String getUrl() {
            return url;
        }

        @Override
        public Map<String, String> getSettings(String scheme) {
            return scheme.equals("s3") ? s3 : Map.of();
        }
    }
}
