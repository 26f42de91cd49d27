package org.litestream4j.spring.connection;

import java.util.Map;
import org.litestream4j.spring.LitestreamConnectionDetails;
import org.springframework.boot.docker.compose.core.RunningService;
import org.springframework.boot.docker.compose.service.connection.DockerComposeConnectionDetailsFactory;
import org.springframework.boot.docker.compose.service.connection.DockerComposeConnectionSource;

/**
 * Provides the address and the keys of a Compose service with the image {@code minio/minio}. The bucket comes from the
 * settings.
 */
final class MinioDockerComposeConnectionDetailsFactory
        extends DockerComposeConnectionDetailsFactory<LitestreamConnectionDetails> {

    MinioDockerComposeConnectionDetailsFactory() {
        super("minio/minio");
    }

    @Override
    protected LitestreamConnectionDetails getDockerComposeConnectionDetails(DockerComposeConnectionSource source) {
        return new Details(source.getRunningService());
    }

    /** Connection details of a running service. */
    static final class Details extends DockerComposeConnectionDetails implements LitestreamConnectionDetails {

        private static final int PORT = 9000;
        private static final String DEFAULT = "minioadmin"; // MinIO's default for user and password

        private final RunningService service;

        Details(RunningService service) {
            super(service);
            this.service = service;
        }

        @Override
        public Map<String, String> getSettings(String scheme) {
            return Minio.settings(
                    scheme,
                    "http://" + service.host() + ":" + service.ports().get(PORT),
                    service.env().getOrDefault("MINIO_ROOT_USER", DEFAULT),
                    service.env().getOrDefault("MINIO_ROOT_PASSWORD", DEFAULT));
        }
    }
}
