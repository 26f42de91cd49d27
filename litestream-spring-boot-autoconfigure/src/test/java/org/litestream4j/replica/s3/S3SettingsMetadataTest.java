package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.spring.BackendMetadata;

/** The starter's settings of S3 are those that the core knows. */
class S3SettingsMetadataTest {

    private static final Map<String, String> PLAIN = Map.of();
    private static final Map<String, String> WITH_CUSTOMER_KEY = Map.of("sse-customer-key", "A".repeat(43) + "=");

    private final BackendMetadata metadata = BackendMetadata.s3();

    @Test
    void names_areThoseOfTheParser() {
        assertThat(metadata.names()).containsExactlyElementsOf(S3SettingsParser.NAMES);
    }

    @Test
    void everyDefault_changesNothing() throws IOException {
        assertThat(metadata.defaults()).hasSizeGreaterThan(4).allSatisfy((name, value) -> {
            Map<String, String> others = others(name);
            assertThat(with(others, name, value)).as(name).isEqualTo(parse(others));
        });
    }

    @Test
    void everyHint_isAllowed() throws IOException {
        metadata.forEachHint(
                (name, value) -> assertThat(with(others(name), name, value)).isNotNull());
    }

    private static Map<String, String> others(String name) {
        return name.equals("sse-customer-algorithm") ? WITH_CUSTOMER_KEY : PLAIN;
    }

    private static S3Settings with(Map<String, String> others, String name, String value) {
        Map<String, String> settings = new HashMap<>(others);
        settings.put(name, value);
        return parse(settings);
    }

    private static S3Settings parse(Map<String, String> settings) {
        return S3SettingsParser.parse(new ReplicaLocation("s3://bucket/path?region=eu-central-1", settings));
    }
}
