package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What an IDE and the documentation say about the settings. */
class ConfigurationMetadataTest {

    private static final Path REFERENCE = Path.of("../docs/configuration.md");
    private static final Pattern OURS =
            Pattern.compile("litestream\\..*|management\\.(endpoint|health|info)\\.litestream\\..*");

    @Test
    void everySetting_hasADescription() throws IOException {
        assertThat(settings()).hasSizeGreaterThan(60);
        assertThat(settings()).allSatisfy((name, setting) -> assertThat(
                        setting.path("description").asString(""))
                .as(name)
                .endsWith(".")
                .doesNotContain("{@", "<p>"));
    }

    @Test
    void everySettingOfTheStarter_tellsItsDefault() throws IOException {
        List<String> without = new ArrayList<>();
        settings().forEach((name, setting) -> {
            if (setting.path("defaultValue").isMissingNode()) {
                without.add(name);
            }
        });
        assertThat(without)
                .filteredOn(name -> !name.matches("litestream\\.replica\\.(s3|nats)\\..*"))
                .containsExactlyInAnyOrder(
                        "litestream.databases",
                        "litestream.drill.checks",
                        "litestream.drill.directory",
                        "litestream.drill.interval",
                        "litestream.drill.schedule",
                        "litestream.heartbeat.failure-url",
                        "litestream.heartbeat.start-url",
                        "litestream.heartbeat.url",
                        "litestream.meta-path",
                        "litestream.read-replicas",
                        "litestream.replica.url",
                        "litestream.restore.directory",
                        "litestream.webhooks");
    }

    /** What is not a type with its own values, and yet takes only some, or mostly some. */
    @Test
    void textsWithKnownValues_haveHints() throws IOException {
        JsonNode metadata = metadata();
        assertThat(metadata.path("hints"))
                .extracting(hint -> hint.path("name").asString())
                .containsExactlyInAnyOrder(
                        "litestream.replica.url",
                        "litestream.replica.s3.conditional-writes",
                        "litestream.replica.s3.sse-customer-algorithm",
                        "litestream.replica.s3.storage-class",
                        "litestream.replica.nats.storage");
        assertThat(metadata.path("hints")).allSatisfy(hint -> assertThat(settings())
                .containsKey(hint.path("name").asString()));
    }

    /** The metadata of one database is read from its type: it says the same as that of all. */
    @Test
    void everySettingOfOneDatabase_isAlsoOneOfAll() {
        Set<String> all = components(LitestreamProperties.class);
        all.removeAll(
                Set.of("health", "marks", "restore", "drill", "heartbeat", "webhooks", "databases", "readReplicas"));
        Set<String> one = components(LitestreamProperties.Database.class);
        one.removeAll(Set.of("path", "pattern"));
        assertThat(one).isEqualTo(all);
    }

    /** The command that writes them is in CONTRIBUTING.md. */
    @Test
    void reference_isWhatTheMetadataSays() throws IOException {
        SettingsReference reference = new SettingsReference(settings());
        String page = Files.readString(REFERENCE);
        String updated = reference.update(page);
        assertThat(reference.problems()).isEmpty();
        if (Boolean.getBoolean("litestream.docs.update")) {
            Files.writeString(REFERENCE, updated);
        } else {
            assertThat(page)
                    .as(
                            "docs/configuration.md is stale: CONTRIBUTING.md, \"The settings reference\", has the command that writes"
                                    + " its tables")
                    .isEqualTo(updated);
        }
    }

    private static Set<String> components(Class<?> type) {
        return Arrays.stream(type.getRecordComponents())
                .map(RecordComponent::getName)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** By name; without those that only group others. */
    static Map<String, JsonNode> settings() throws IOException {
        Map<String, JsonNode> settings = new TreeMap<>();
        for (JsonNode setting : metadata().path("properties")) {
            if (OURS.matcher(setting.path("name").asString()).matches()) {
                settings.put(setting.path("name").asString(), setting);
            }
        }
        return settings;
    }

    static JsonNode metadata() throws IOException {
        try (InputStream in =
                LitestreamProperties.class.getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
            return JsonMapper.shared().readTree(in);
        }
    }
}
