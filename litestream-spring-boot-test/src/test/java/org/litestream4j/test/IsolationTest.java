package org.litestream4j.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseState;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.readreplica.ReadReplica;
import org.litestream4j.spring.LitestreamConnectionDetails;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.Environment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.util.FileSystemUtils;

/** Nothing that the application's settings name is touched by a test, and no other file is deleted. */
class IsolationTest {

    @TempDir
    Path folder;

    @SpringBootTest(
            properties = {
                "spring.datasource.url=jdbc:sqlite:/nowhere/app.db",
                "reports.url=jdbc:sqlite:/nowhere/audit.db?busy_timeout=7",
                "litestream.replica.url=s3://production/app?endpoint=http://127.0.0.1:1",
                "litestream.meta-path=/nowhere/state",
                "litestream.databases.audit.path=/nowhere/audit.db",
                "litestream.databases.audit.meta-path=/nowhere/audit-state",
                "litestream.databases.audit.replica.url=s3://production/audit?endpoint=http://127.0.0.1:1",
                "litestream.databases[old.db].path=/nowhere/old.db",
                "litestream.databases[old.db].replica.url=file:///nowhere/old",
                "litestream.databases.tenants.path=/nowhere/tenants",
                "litestream.databases.tenants.pattern=*.db",
                "litestream.databases.tenants.replica.url=file:///nowhere/tenants-replica",
                "litestream.read-replicas.others.url=s3://others/app?endpoint=http://127.0.0.1:1",
                "litestream.read-replicas.reading.url=s3://production/app?endpoint=http://127.0.0.1:1"
            })
    @AutoConfigureLitestream
    @Nested
    class SettingsOfProduction {

        @Test
        void allAreOverridden(
                @Autowired ConfigurableApplicationContext context,
                @Autowired Litestream litestream,
                @Autowired Environment environment) {
            TestFolders folders = TestFolders.of(context);
            assertThat(litestream.databases())
                    .extracting(ManagedDatabase::name)
                    .containsExactlyInAnyOrder("app.db", "audit", "old.db");
            assertThat(litestream.databases()).allSatisfy(database -> {
                assertThat(folders.contains(database.config().path())).isTrue();
                assertThat(folders.contains(database.config().metaPath())).isTrue();
                assertThat(folders.containsReplica(database.config().replica().url()))
                        .isTrue();
            });
            assertThat(environment.getProperty("reports.url"))
                    .isEqualTo("jdbc:sqlite:"
                            + litestream
                                    .database("audit")
                                    .orElseThrow()
                                    .config()
                                    .path()
                            + "?busy_timeout=7");
            for (String name : List.of("others", "reading")) {
                assertThat(folders.containsReplica(
                                environment.getProperty("litestream.read-replicas." + name + ".url")))
                        .isTrue();
            }
            assertThat(context.getBeansOfType(ReadReplica.class)).hasSize(2);
        }
    }

    /** The application's own entry, without a path, keeps its meaning. */
    @Test
    void entryOfTheApplication_isOverridden_inEachNotation() throws Exception {
        TestFolders folders = TestFolders.create();
        Map<String, Object> settings = isolated(
                folders,
                Map.of(
                        "spring.datasource.hikari.jdbc-url", "jdbc:sqlite:/nowhere/app.db",
                        "litestream.databases.dataSource.replica.url", "s3://production/app",
                        "litestream.databases[main].path", "/nowhere/main.db"));
        assertThat(settings)
                .containsEntry(
                        "spring.datasource.hikari.jdbc-url",
                        "jdbc:sqlite:" + folders.disk().resolve("app.db"))
                .containsKeys(
                        "litestream.databases.dataSource.replica.url",
                        "litestream.databases.dataSource.meta-path",
                        "litestream.databases[main].path")
                .doesNotContainKey("litestream.databases.dataSource.path");
    }

    private static Map<String, Object> isolated(TestFolders folders, Map<String, Object> settings) throws IOException {
        StandardEnvironment environment = new StandardEnvironment();
        environment.getPropertySources().addFirst(new MapPropertySource("test", settings));
        return IsolatedSettings.of(environment, folders, true);
    }

    @Test
    void replicaOfABean_failsTheStart() {
        assertThatThrownBy(() -> isolated(Map.of(), context -> context.getBeanFactory()
                        .registerSingleton("production", new LitestreamConnectionDetails() {
                            @Override
                            public String getUrl() {
                                return folder.resolve("production").toUri().toString();
                            }
                        })))
                .rootCause()
                .hasMessageContaining("LitestreamConnectionDetails")
                .hasMessageContaining("outside of the temporary folder of the test");
        assertThat(folder).isEmptyDirectory();
    }

    /** As of a source that is added after the annotation's. */
    @Test
    void readReplicaAndLocalState_ofALaterSource_failTheStart() {
        for (Map.Entry<String, String> setting : Map.of(
                        "litestream.read-replicas.reading.url",
                                folder.resolve("production").toUri().toString(),
                        "litestream.databases.audit.replica.url",
                                folder.resolve("production").toUri().toString(),
                        "litestream.meta-path", folder.resolve("state").toString())
                .entrySet()) {
            Map<String, Object> later = new HashMap<>(Map.of(setting.getKey(), setting.getValue()));
            if (setting.getKey().contains("audit")) {
                later.put(
                        "litestream.databases.audit.path",
                        folder.resolve("audit.db").toString());
            }
            assertThatThrownBy(() -> isolated(Map.of(), context -> context.getEnvironment()
                            .getPropertySources()
                            .addFirst(new MapPropertySource("later", later))))
                    .rootCause()
                    .hasMessageContaining(setting.getKey())
                    .hasMessageContaining("outside of the temporary folder of the test");
        }
        assertThat(folder).isEmptyDirectory();
    }

    private static ConfigurableApplicationContext isolated(
            Map<String, Object> settings, ApplicationContextInitializer<ConfigurableApplicationContext> later) {
        return new SpringApplicationBuilder(TestApplication.class)
                .web(WebApplicationType.NONE)
                .properties(settings)
                .initializers(
                        context -> new LitestreamContextCustomizer(IsolationTest.class, true, true)
                                .customizeContext(context, null),
                        later)
                .run();
    }

    @Test
    void lostDisk_keepsOtherFilesOfAConfiguredFolder() throws Exception {
        Path state = Files.createDirectories(folder.resolve("state"));
        Path other = Files.writeString(state.resolve("other"), "precious");
        ConfigurableApplicationContext context = start(folder.resolve("app.db"), state);
        await(context);
        LostDisk lost = LostDisk.simulate(context);
        assertThat(lost.files()).contains(folder.resolve("app.db")).allSatisfy(file -> assertThat(file)
                .doesNotExist());
        assertThat(other).hasContent("precious");
        assertThat(state.resolve("position")).doesNotExist();
        try (ConfigurableApplicationContext restarted = start(folder.resolve("app.db"), state)) {
            assertThat(restarted.getBean(TestApplication.Notes.class).count()).isZero();
        }
    }

    @Test
    void lostDisk_refusesFilesThatAreNoneOfATest() throws Exception {
        Path home = Path.of(System.getProperty("user.home")); // the project may be below the folder for temporary files
        Assumptions.assumeTrue(
                !home.startsWith(System.getProperty("java.io.tmpdir")) && Files.isWritable(home), "a home elsewhere");
        Path elsewhere = Files.createTempDirectory(home, ".litestream-test");
        try (ConfigurableApplicationContext context = start(elsewhere.resolve("app.db"), folder.resolve("state"))) {
            await(context);
            assertThatThrownBy(() -> LostDisk.simulate(context))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(elsewhere.resolve("app.db").toString())
                    .hasMessageContaining("java.io.tmpdir");
            assertThat(context.isActive()).isTrue();
        }
        assertThat(elsewhere.resolve("app.db")).exists();
        FileSystemUtils.deleteRecursively(elsewhere);
    }

    @Test
    void lostDisk_refusesADatabaseThatAnotherContextReplicates() throws Exception {
        try (ConfigurableApplicationContext first = start(folder.resolve("app.db"), folder.resolve("state"));
                ConfigurableApplicationContext second = start(folder.resolve("app.db"), folder.resolve("state"))) {
            await(first);
            assertThat(second.getBean(Litestream.class).databases())
                    .extracting(database -> database.status().state())
                    .isEqualTo(List.of(DatabaseState.PASSIVE));
            assertThatThrownBy(() -> LostDisk.simulate(second))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("PASSIVE");
            assertThat(second.isActive()).isTrue();
        }
        assertThat(folder.resolve("app.db")).exists();
    }

    private ConfigurableApplicationContext start(Path database, Path state) {
        return new SpringApplicationBuilder(TestApplication.class)
                .web(WebApplicationType.NONE)
                .properties(
                        "spring.datasource.url=jdbc:sqlite:" + database,
                        "litestream.meta-path=" + state,
                        "litestream.replica.url=" + folder.resolve("replica").toUri())
                .run();
    }

    private static void await(ConfigurableApplicationContext context) {
        context.getBean(Litestream.class).databases().forEach(database -> LitestreamAssertions.assertThat(database)
                .isReplicatedWithin(Duration.ofSeconds(10)));
    }
}
