package org.litestream4j.spring.connection;

import java.util.Map;
import org.litestream4j.spring.LitestreamConnectionDetails;
import org.springframework.boot.docker.compose.core.RunningService;
import org.springframework.boot.docker.compose.service.connection.DockerComposeConnectionDetailsFactory;
import org.springframework.boot.docker.compose.service.connection.DockerComposeConnectionSource;

/**
 * Provides the address and the keys of a store in a Compose service. The bucket comes from the settings. Services are
 * recognized by the name of their image, or by the label {@code org.springframework.boot.service-connection}.
 */
abstract class StoreDockerComposeConnectionDetailsFactory
        extends DockerComposeConnectionDetailsFactory<LitestreamConnectionDetails> {

    private final Stores store;

    private StoreDockerComposeConnectionDetailsFactory(Stores store) {
        super(store.images().toArray(String[]::new));
        this.store = store;
    }

    @Override
    protected final LitestreamConnectionDetails getDockerComposeConnectionDetails(
            DockerComposeConnectionSource source) {
        return new Details(store, source.getRunningService());
    }

    /** Connection details of a running service. */
    static final class Details extends DockerComposeConnectionDetails implements LitestreamConnectionDetails {

        private final Stores store;
        private final RunningService service;

        Details(Stores store, RunningService service) {
            super(service);
            this.store = store;
            this.service = service;
        }

        @Override
        public Map<String, String> getSettings(String scheme) {
            return store.settings(scheme, service.host(), service.ports().get(store.port()), service.env());
        }
    }

    static final class Minio extends StoreDockerComposeConnectionDetailsFactory {
        Minio() {
            super(Stores.MINIO);
        }
    }

    static final class BitnamiMinio extends StoreDockerComposeConnectionDetailsFactory {
        BitnamiMinio() {
            super(Stores.BITNAMI_MINIO);
        }
    }

    static final class SeaweedFs extends StoreDockerComposeConnectionDetailsFactory {
        SeaweedFs() {
            super(Stores.SEAWEEDFS);
        }
    }

    static final class RustFs extends StoreDockerComposeConnectionDetailsFactory {
        RustFs() {
            super(Stores.RUSTFS);
        }
    }

    static final class LocalStack extends StoreDockerComposeConnectionDetailsFactory {
        LocalStack() {
            super(Stores.LOCALSTACK);
        }
    }

    static final class Nats extends StoreDockerComposeConnectionDetailsFactory {
        Nats() {
            super(Stores.NATS);
        }
    }
}
