package org.litestream4j.replica.nats;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.spring.BackendMetadata;

/** The starter's settings of NATS are those that the core knows. */
class NatsSettingsMetadataTest {

    private static final Set<String> OF_NEW_BUCKET = Set.of("storage", "replicas", "max-bytes");

    private final BackendMetadata metadata = BackendMetadata.nats();

    @Test
    void names_areThoseOfTheParser() {
        assertThat(metadata.names()).containsExactlyElementsOf(NatsSettingsParser.NAMES);
    }

    @Test
    void everyDefault_changesNothing() throws IOException {
        assertThat(metadata.defaults()).hasSizeGreaterThan(9).allSatisfy((name, value) -> {
            Map<String, String> others = others(name);
            assertThat(optional(with(others, name, value))).as(name).isEqualTo(optional(parse(others)));
        });
    }

    @Test
    void everyHint_isAllowed() throws IOException {
        metadata.forEachHint(
                (name, value) -> assertThat(with(others(name), name, value)).isNotNull());
    }

    /** What has defaults. */
    private static List<Object> optional(NatsSettings settings) {
        return List.of(settings.tls(), settings.connection(), Optional.ofNullable(settings.newBucket()));
    }

    private static Map<String, String> others(String name) {
        return OF_NEW_BUCKET.contains(name) ? Map.of("create-bucket", "true") : Map.of();
    }

    private static NatsSettings with(Map<String, String> others, String name, String value) {
        Map<String, String> settings = new HashMap<>(others);
        settings.put(name, value);
        return parse(settings);
    }

    private static NatsSettings parse(Map<String, String> settings) {
        return NatsSettingsParser.parse(new ReplicaLocation("nats://localhost/bucket", settings));
    }
}
