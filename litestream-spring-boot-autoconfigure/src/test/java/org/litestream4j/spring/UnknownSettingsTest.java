package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

class UnknownSettingsTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "litestream.enabled",
                "litestream.replica.url",
                "litestream.syncInterval",
                "litestream.sync_interval",
                "litestream.levels",
                "litestream.levels[2]",
                "litestream.replica",
                "litestream.replica.s3",
                "litestream.replica.nats.rootCas[0]",
                "litestream.restore.on-startup",
                "litestream.health.lag-down",
                "litestream.databases",
                "litestream.databases.audit",
                "litestream.databases.audit.path",
                "litestream.databases[app.db].level0-retention",
                "litestream.databases.audit.snapshot.interval",
                "litestream.databases.audit.replica.s3.access-key-id",
                "litestream.databases.audit.levels[0]",
                "litestreamed.anything",
                "sample.litestream.anything"
            })
    void known(String name) {
        assertThatCode(() -> refuse(new MapPropertySource("test", Map.of(name, ""))))
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @CsvSource({
        "litestream.sync-intervall, litestream.sync-interval",
        "litestream.l0-retention, litestream.level0-retention",
        "litestream.url, litestream.replica.url",
        "litestream.s3.region, litestream.replica.s3.region",
        "litestream.replica.s3.acess-key-id, litestream.replica.s3.access-key-id",
        "litestream.snapshots.interval, litestream.snapshot.interval",
        "litestream.restore.if-missing, ",
        "litestream.mcp-addr, ",
        "litestream.databases.audit.url, litestream.databases.audit.replica.url",
        "litestream.databases.audit.sync-intervall, litestream.databases.audit.sync-interval",
        "litestream.databases.audit.replica.path, litestream.databases.audit.replica.s3.path",
        "litestream.databases.audit.restore.on-startup, ",
        "litestream.databases.app.db.sync-interval, litestream.databases[app.db].sync-interval",
        "litestream.databases.app.db.replica.url, litestream.databases[app.db].replica.url"
    })
    void unknown_isNamedWithWhatMayBeMeant(String name, String meant) {
        String remedy = meant == null
                ? "Remove " + name + "; docs/configuration.md lists all settings."
                : "Write " + meant + " instead of " + name + ".";
        assertThatThrownBy(() -> refuse(new MapPropertySource("test", Map.of(name, "verysecret"))))
                .isInstanceOfSatisfying(LitestreamSettingException.class, e -> assertThat(e.remedy())
                        .isEqualTo(remedy))
                .hasMessageStartingWith("There is no setting " + name)
                .hasMessageNotContaining("verysecret");
    }

    @Test
    void everySettingOfTheMetadata_isKnown() throws Exception {
        for (String name : ConfigurationMetadataTest.settings().keySet()) {
            if (name.startsWith("litestream.")) {
                assertThat(UnknownSettings.isKnown(ConfigurationPropertyName.of(name)))
                        .as(name)
                        .isTrue();
            }
        }
    }

    @Test
    void environmentAndSystemProperties_areLeftAlone() {
        Map<String, Object> sidecar = Map.of("LITESTREAM_ACCESS_KEY_ID", "id", "litestream.docs.update", "true");
        assertThatCode(() -> refuse(new SystemEnvironmentPropertySource(
                        StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, sidecar)))
                .doesNotThrowAnyException();
        assertThatCode(() -> refuse(
                        new MapPropertySource(StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME, sidecar)))
                .doesNotThrowAnyException();
    }

    @Test
    void application_doesNotStart_andMakesNothing() {
        Runners.jdbc(folder)
                .withPropertyValues("litestream.replica.ulr=file:/elsewhere")
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .hasMessageContaining("There is no setting litestream.replica.ulr"));
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void emptyValueOfAKnownSetting_isItsDefault() {
        Runners.jdbc(folder)
                .withPropertyValues("litestream.busy-timeout=", "litestream.replica.s3.part-size=")
                .run(context -> assertThat(
                                context.getBean(LitestreamProperties.class).busyTimeout())
                        .hasSeconds(1));
    }

    @Test
    void switchedOff_nothingIsLookedAt() {
        Runners.jdbc(folder)
                .withPropertyValues(
                        "litestream.enabled=false",
                        "litestream.replica.ulr=file:/elsewhere",
                        "spring.datasource.url=jdbc:sqlite::memory:")
                .run(context -> assertThat(context).hasNotFailed());
    }

    private static void refuse(PropertySource<?> source) {
        UnknownSettings.refuse(ConfigurationPropertySources.from(source));
    }
}
