package org.litestream4j.spring.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.apache.commons.logging.LogFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.spring.LitestreamConnectionDetails;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.service.connection.ConnectionDetailsFactory;
import org.springframework.boot.docker.compose.core.ConnectionPorts;
import org.springframework.boot.docker.compose.core.ImageReference;
import org.springframework.boot.docker.compose.core.RunningService;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.testcontainers.context.ImportTestcontainers;
import org.springframework.boot.testcontainers.service.connection.ServiceConnection;
import org.springframework.boot.testcontainers.service.connection.ServiceConnectionAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.support.SpringFactoriesLoader;
import org.springframework.core.io.support.SpringFactoriesLoader.FailureHandler;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.MinIOContainer;
import org.testcontainers.utility.DockerImageName;

/** What stores in Compose files and containers say, without starting one. */
class ConnectionDetailsTest {

    private static LitestreamConnectionDetails details(Stores store, Map<String, String> environment) {
        return new StoreDockerComposeConnectionDetailsFactory.Details(store, new Service(store, environment));
    }

    @Test
    void service_saysWhereItIs_andItsKeys() {
        LitestreamConnectionDetails details =
                details(Stores.MINIO, Map.of("MINIO_ROOT_USER", "sample", "MINIO_ROOT_PASSWORD", "sample-secret"));
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

    @ParameterizedTest
    @CsvSource({
        "MINIO, MINIO_ROOT_USER, MINIO_ROOT_PASSWORD, minioadmin, minioadmin",
        "BITNAMI_MINIO, MINIO_ROOT_USER, MINIO_ROOT_PASSWORD, minio, miniosecret",
        "SEAWEEDFS, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, any, any",
        "RUSTFS, RUSTFS_ACCESS_KEY, RUSTFS_SECRET_KEY, rustfsadmin, rustfsadmin",
        "LOCALSTACK, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, test, test"
    })
    void keys_comeFromTheEnvironment_orAreTheDefault(
            Stores store, String user, String password, String defaultUser, String defaultPassword) {
        assertThat(details(store, Map.of(user, "u", password, "p")).getSettings("s3"))
                .containsEntry("access-key-id", "u")
                .containsEntry("secret-access-key", "p");
        assertThat(details(store, Map.of()).getSettings("s3"))
                .containsEntry("access-key-id", defaultUser)
                .containsEntry("secret-access-key", defaultPassword)
                .containsEntry("endpoint", "http://docker.example.org:32768");
    }

    @Test
    void nats_overridesTheServers_notTheBucket() {
        LitestreamConnectionDetails details = details(Stores.NATS, Map.of());
        assertThat(details.getSettings("s3")).isEmpty();
        assertThat(details.getSettings("nats"))
                .containsEntry("urls", "docker.example.org:32768")
                .containsEntry("create-bucket", "true")
                .containsEntry("token", "")
                .doesNotContainKey("bucket");
    }

    /** Names of settings that the backends do not know would be refused. */
    @ParameterizedTest
    @EnumSource(value = Stores.class, mode = EnumSource.Mode.EXCLUDE, names = "NATS") // its library is not here
    void settings_areThoseOfTheBackend(Stores store) throws Exception {
        try (var client = Replicas.open(
                new ReplicaLocation("s3://backups/app", details(store, Map.of()).getSettings("s3")))) {
            assertThat(client).isNotNull();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "MINIO, minio/minio:RELEASE.2025-09-07T16-13-09Z",
        "MINIO, chainguard/minio:latest",
        "BITNAMI_MINIO, bitnamilegacy/minio:2025.7.23",
        "SEAWEEDFS, chrislusf/seaweedfs:latest",
        "RUSTFS, rustfs/rustfs:latest",
        "LOCALSTACK, localstack/localstack:4.14.0",
        "NATS, nats:2.12"
    })
    void container_hasTheSameSettings(Stores store, String image) {
        try (Container container = new Container(image)) {
            String scheme = store == Stores.NATS ? "nats" : "s3";
            assertThat(StoreContainerConnectionDetailsFactory.settings(store, scheme, container))
                    .isEqualTo(store.settings(scheme, "docker.example.org", store.port() + 1, Map.of()));
            assertThat(store.images()).contains(DockerImageName.parse(image).getUnversionedPart());
        }
    }

    /** As a test of an application declares them, from the annotation to the details. */
    @ParameterizedTest
    @ValueSource(
            classes = {
                QuayMinio.class,
                ChainguardMinio.class,
                BitnamiMinio.class,
                SeaweedFs.class,
                RustFs.class,
                LocalStack.class,
                TypedMinio.class,
                NamedBean.class
            })
    void declaredContainer_isRecognized(Class<?> configuration) {
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(ServiceConnectionAutoConfiguration.class))
                .withUserConfiguration(configuration)
                .run(context -> assertThat(context.getBean(LitestreamConnectionDetails.class)
                                .getSettings("s3"))
                        .containsKeys("endpoint", "access-key-id"));
    }

    @ImportTestcontainers
    static class QuayMinio {
        @ServiceConnection
        static final GenericContainer<?> STORE = new Container("quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z");
    }

    @ImportTestcontainers
    static class ChainguardMinio {
        @ServiceConnection
        static final GenericContainer<?> STORE = new Container("cgr.dev/chainguard/minio:latest");
    }

    @ImportTestcontainers
    static class BitnamiMinio {
        @ServiceConnection
        static final GenericContainer<?> STORE = new Container("bitnamilegacy/minio:2025.7.23");
    }

    @ImportTestcontainers
    static class SeaweedFs {
        @ServiceConnection
        static final GenericContainer<?> STORE = new Container("docker.io/chrislusf/seaweedfs:latest");
    }

    @ImportTestcontainers
    static class RustFs {
        @ServiceConnection
        static final GenericContainer<?> STORE = new Container("rustfs/rustfs:latest");
    }

    @ImportTestcontainers
    static class LocalStack {
        @ServiceConnection
        static final GenericContainer<?> STORE = new Container("localstack/localstack:4.14.0");
    }

    /** Two factories know this container; only one may answer. */
    @ImportTestcontainers
    static class TypedMinio {
        @ServiceConnection
        static final MinIOContainer STORE = new Minio("quay.io/minio/minio:latest");
    }

    /** Spring Boot does not ask a bean method for the image. */
    @Configuration(proxyBeanMethods = false)
    static class NamedBean {

        @Bean
        @ServiceConnection(name = "rustfs/rustfs")
        GenericContainer<?> store() {
            return new Container("registry.example.org/mirror:1");
        }
    }

    @Test
    void images_areRecognizedInAnyRegistry() {
        for (String image : List.of(
                "minio/minio", "quay.io/minio/minio:latest", "cgr.dev/chainguard/minio@sha256:" + "0".repeat(64))) {
            assertThat(Stores.MINIO.images()).contains(ImageReference.of(image).getName());
        }
    }

    @Test
    void factories_areRegistered() {
        List<String> factories = SpringFactoriesLoader.forDefaultResourceLocation()
                .load(
                        ConnectionDetailsFactory.class,
                        FailureHandler.logging(LogFactory.getLog(ConnectionDetailsTest.class)))
                .stream()
                .map(factory -> factory.getClass().getName())
                .toList();
        assertThat(factories)
                .contains(
                        MinioContainerConnectionDetailsFactory.class.getName(),
                        StoreContainerConnectionDetailsFactory.Minio.class.getName(),
                        StoreContainerConnectionDetailsFactory.BitnamiMinio.class.getName(),
                        StoreContainerConnectionDetailsFactory.SeaweedFs.class.getName(),
                        StoreContainerConnectionDetailsFactory.RustFs.class.getName(),
                        StoreContainerConnectionDetailsFactory.LocalStack.class.getName(),
                        StoreContainerConnectionDetailsFactory.Nats.class.getName(),
                        StoreDockerComposeConnectionDetailsFactory.Minio.class.getName(),
                        StoreDockerComposeConnectionDetailsFactory.BitnamiMinio.class.getName(),
                        StoreDockerComposeConnectionDetailsFactory.SeaweedFs.class.getName(),
                        StoreDockerComposeConnectionDetailsFactory.RustFs.class.getName(),
                        StoreDockerComposeConnectionDetailsFactory.LocalStack.class.getName(),
                        StoreDockerComposeConnectionDetailsFactory.Nats.class.getName());
    }

    /** A container that never starts. */
    private static final class Container extends GenericContainer<Container> {

        private final String image;

        Container(String image) {
            super(DockerImageName.parse(image));
            this.image = image;
        }

        @Override
        public String getDockerImageName() {
            return image; // asks Docker otherwise
        }

        @Override
        public void start() {}

        @Override
        public void stop() {}

        @Override
        public String getHost() {
            return "docker.example.org";
        }

        @Override
        public Integer getMappedPort(int port) {
            return port + 1;
        }
    }

    /** A container that never starts. */
    private static final class Minio extends MinIOContainer {

        private final String image;

        Minio(String image) {
            super(DockerImageName.parse(image).asCompatibleSubstituteFor("minio/minio"));
            this.image = image;
            withUserName("user");
            withPassword("password");
        }

        @Override
        public String getDockerImageName() {
            return image; // asks Docker otherwise
        }

        @Override
        public void start() {}

        @Override
        public void stop() {}

        @Override
        public String getS3URL() {
            return "http://docker.example.org:9001";
        }
    }

    private record Service(Stores store, Map<String, String> env) implements RunningService {

        @Override
        public String name() {
            return "store";
        }

        @Override
        public ImageReference image() {
            return ImageReference.of(store.images().get(0) + ":latest");
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
                    assertThat(containerPort).isEqualTo(store.port());
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
