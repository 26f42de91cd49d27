package org.litestream4j.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The Compose file and the profile {@code minio} fit together, as far as can be seen without Docker. */
class ComposeFileTest {

    private static Map<String, Object> read(Path file) throws IOException {
        try (Reader in = Files.newBufferedReader(file)) {
            return new Yaml(new SafeConstructor(new LoaderOptions())).load(in);
        }
    }

    @SuppressWarnings("unchecked") // YAML has no types
    private static Map<String, Object> map(Object value) {
        return (Map<String, Object>) value;
    }

    @Test
    void minio_hasTheBucketOfTheProfileAndWhatConnectionDetailsNeed() throws Exception {
        Map<String, Object> compose = read(Path.of("compose.yaml"));
        Map<String, Object> profile = read(Path.of("src/main/resources/application-minio.yaml"));
        assertThat(profile).containsEntry("spring.docker.compose.enabled", true);
        Map<String, Object> spring =
                map(read(Path.of("src/main/resources/application.yaml")).get("spring"));
        String file = map(spring.get("docker.compose")).get("file").toString();
        assertThat(Path.of("..", file)).isRegularFile().hasSameBinaryContentAs(Path.of("compose.yaml"));
        String bucket = ((String) profile.get("litestream.replica.url")).split("/", 5)[2];
        assertThat(map(compose.get("services")).keySet()).containsExactly("minio");
        Map<String, Object> minio = map(map(compose.get("services")).get("minio"));
        assertThat((String) minio.get("image"))
                .matches("\\$\\{MINIO_IMAGE:-quay\\.io/minio/minio:RELEASE\\.\\S+}"); // recognised by its name
        assertThat(minio.get("entrypoint").toString()).contains("mkdir -p /data/" + bucket + " ");
        Map<String, Object> environment = map(minio.get("environment"));
        assertThat((String) environment.get("MINIO_ROOT_USER"))
                .hasSizeGreaterThanOrEqualTo(3); // else it does not start
        assertThat((String) environment.get("MINIO_ROOT_PASSWORD")).hasSizeGreaterThanOrEqualTo(8);
        assertThat((List<?>) minio.get("ports"))
                .anyMatch(port -> port.toString().endsWith(":9000"))
                .allMatch(port -> port.toString().startsWith("127.0.0.1:"));
        String data = ((List<?>) minio.get("volumes")).get(0).toString();
        assertThat(data).endsWith(":/data");
        assertThat(map(compose.get("volumes"))).containsKey(data.replaceFirst(":.*", ""));
    }
}
