package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What an IDE and the documentation say about the settings. */
class ConfigurationMetadataTest {

    private static final Path REFERENCE = Path.of("../docs/configuration.md");

    @Test
    void everySetting_hasADescription() throws IOException {
        List<JsonNode> settings = settings();
        assertThat(settings).hasSizeGreaterThan(15);
        assertThat(settings)
                .allSatisfy(setting -> assertThat(setting.path("description").asString(""))
                        .as(name(setting))
                        .isNotEmpty());
    }

    @Test
    void everySettingOfTheStarter_tellsItsDefault() throws IOException {
        assertThat(settings())
                .filteredOn(setting -> !name(setting).matches("litestream\\.(databases|replica\\.(s3|nats)).*"))
                .filteredOn(setting -> setting.path("defaultValue").isMissingNode())
                .extracting(ConfigurationMetadataTest::name)
                .containsExactlyInAnyOrder(
                        "litestream.meta-path", "litestream.replica.url", "litestream.restore.directory");
    }

    @Test
    void everySetting_standsInTheReference() throws IOException {
        String reference = Files.readString(REFERENCE);
        assertThat(settings()).allSatisfy(setting -> assertThat(reference).contains("`" + name(setting) + "`"));
    }

    private static String name(JsonNode setting) {
        return setting.path("name").asString();
    }

    private static List<JsonNode> settings() throws IOException {
        try (InputStream in =
                LitestreamProperties.class.getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
            List<JsonNode> settings = new ArrayList<>();
            for (JsonNode setting : JsonMapper.shared().readTree(in).path("properties")) {
                if (name(setting).startsWith("litestream.")) {
                    settings.add(setting);
                }
            }
            return settings;
        }
    }
}
