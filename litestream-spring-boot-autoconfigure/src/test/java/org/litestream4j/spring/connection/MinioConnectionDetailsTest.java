package org.litestream4j.spring.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.apache.commons.logging.LogFactory;
import org.junit.jupiter.api.Test;
import org.litestream4j.spring.LitestreamConnectionDetails;
import org.springframework.boot.autoconfigure.service.connection.ConnectionDetailsFactory;
import org.springframework.boot.docker.compose.core.ConnectionPorts;
import org.springframework.boot.docker.compose.core.ImageReference;
import org.springframework.boot.docker.compose.core.RunningService;
import org.springframework.core.io.support.SpringFactoriesLoader;
import org.springframework.core.io.support.SpringFactoriesLoader.FailureHandler;

/** What MinIO of a Compose file says; Testcontainers' is tested with the sample application. */
class MinioConnectionDetailsTest {

    @Test
    void service_saysWhereItIs_andItsKeys() {
        LitestreamConnectionDetails details = new MinioDockerComposeConnectionDetailsFactory.Details(
                new Minio(Map.of("MINIO_ROOT_USER", "sample", "MINIO_ROOT_PASSWORD", "sample-secret")));
        assertThat(details.getUrl()).isNull();
        assertThat(details.getSettings("s3"))
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "endpoint", "http://docker.example.org:32768",
                        "region", "us-east-1",
                        "force-path-style", "true",
                        "access-key-id", "sample",
                        "secret-access-key", "sample-secret",
                        "session-token", ""));
        assertThat(details.getSettings("nats")).isEmpty();
    }

    @Test
    void serviceWithoutKeys_hasMinios() {
        LitestreamConnectionDetails details =
                new MinioDockerComposeConnectionDetailsFactory.Details(new Minio(Map.of()));
        assertThat(details.getSettings("s3"))
                .containsEntry("access-key-id", "minioadmin")
                .containsEntry("secret-access-key", "minioadmin");
    }

    @Test
    void factories_areRegistered() {
        List<String> factories = SpringFactoriesLoader.forDefaultResourceLocation()
                .load(
                        ConnectionDetailsFactory.class,
                        FailureHandler.logging(LogFactory.getLog(MinioConnectionDetailsTest.class)))
                .stream()
                .map(factory -> factory.getClass().getName())
                .toList();
        assertThat(factories)
                .contains(
                        MinioContainerConnectionDetailsFactory.class.getName(),
                        MinioDockerComposeConnectionDetailsFactory.class.getName());
    }

    private record Minio(Map<String, String> env) implements RunningService {

        @Override
        public String name() {
            return "minio";
        }

        @Override
        public ImageReference image() {
            return ImageReference.of("minio/minio:latest");
        }

        @Override
        public String host() {
            return "docker.example.org";
        }

        @Override
        public ConnectionPorts ports() {
            return new ConnectionPorts() {
                @Override
                public int get(int containerPort) {
                    assertThat(containerPort).isEqualTo(9000);
                    return 32768;
                }

                @Override
                public List<Integer> getAll() {
                    return List.of(32768);
                }

                @Override
                public List<Integer> getAll(String protocol) {
                    return getAll();
                }
            };
        }

        @Override
        public Map<String, String> labels() {
            return Map.of();
        }
    }
}
