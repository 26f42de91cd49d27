package org.litestream4j.spring;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.springframework.util.unit.DataSize;
import tools.jackson.databind.JsonNode;

/** What the configuration metadata says of one backend, by the core's names: for tests beside its parser. */
public final class BackendMetadata {

    private final String prefix;
    private final Class<?> properties;

    private BackendMetadata(String scheme, Class<?> properties) {
        this.prefix = "litestream.replica." + scheme + ".";
        this.properties = properties;
    }

    public static BackendMetadata s3() {
        return new BackendMetadata("s3", ReplicaProperties.S3.class);
    }

    public static BackendMetadata nats() {
        return new BackendMetadata("nats", ReplicaProperties.Nats.class);
    }

    /** Those of the properties, in their order. */
    public List<String> names() {
        return names(properties).toList();
    }

    private static Stream<String> names(Class<?> type) {
        return Arrays.stream(type.getRecordComponents()).flatMap(component -> {
            String name = ReplicaProperties.kebabCase(component.getName());
            return component.getType().isRecord()
                    ? names(component.getType()).map(part -> name + "-" + part)
                    : Stream.of(name);
        });
    }

    /** By name, as the properties hand them to the core. */
    public Map<String, String> defaults() throws IOException {
        Map<String, String> defaults = new TreeMap<>();
        ConfigurationMetadataTest.settings().forEach((name, setting) -> {
            JsonNode value = setting.path("defaultValue");
            if (name.startsWith(prefix) && !value.isMissingNode()) {
                boolean size = setting.path("type").asString().equals(DataSize.class.getName());
                defaults.put(
                        name.substring(prefix.length()),
                        size ? Long.toString(DataSize.parse(value.asString()).toBytes()) : value.asString());
            }
        });
        return defaults;
    }

    /** Calls with name and value of each hint. */
    public void forEachHint(BiConsumer<String, String> consumer) throws IOException {
        for (JsonNode hint : ConfigurationMetadataTest.metadata().path("hints")) {
            String name = hint.path("name").asString();
            if (name.startsWith(prefix)) {
                hint.path("values")
                        .forEach(value -> consumer.accept(
                                name.substring(prefix.length()),
                                value.path("value").asString()));
            }
        }
    }
}
