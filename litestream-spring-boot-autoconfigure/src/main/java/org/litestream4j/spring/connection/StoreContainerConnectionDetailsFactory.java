package org.litestream4j.spring.connection;

import java.util.Map;
import org.litestream4j.spring.LitestreamConnectionDetails;
import org.springframework.boot.testcontainers.service.connection.ContainerConnectionDetailsFactory;
import org.springframework.boot.testcontainers.service.connection.ContainerConnectionSource;
import org.springframework.util.ClassUtils;
import org.testcontainers.containers.Container;

/**
 * Provides the address and the keys of a store in any container with {@code @ServiceConnection}. The bucket comes from
 * the settings. Containers are recognized by the name of their image, or by the name in the annotation.
 */
abstract class StoreContainerConnectionDetailsFactory
        extends ContainerConnectionDetailsFactory<Container<?>, LitestreamConnectionDetails> {

    private static final boolean MINIO_CONTAINER =
            ClassUtils.isPresent("org.testcontainers.containers.MinIOContainer", null);

    private final Stores store;

    private StoreContainerConnectionDetailsFactory(Stores store) {
        super(store.images());
        this.store = store;
    }

    @Override
    protected final LitestreamConnectionDetails getContainerConnectionDetails(
            ContainerConnectionSource<Container<?>> source) {
        return new Details(store, source);
    }

    /** Settings of a replica in a container. */
    static Map<String, String> settings(Stores store, String scheme, Container<?> container) {
        return store.settings(
                scheme, container.getHost(), container.getMappedPort(store.port()), container.getEnvMap());
    }

    /** A {@code MinIOContainer} has a factory of its own, whatever its image. */
    @Override
    protected final boolean sourceAccepts(
            ContainerConnectionSource<Container<?>> source,
            Class<?> requiredContainerType,
            Class<?> requiredConnectionDetailsType) {
        return super.sourceAccepts(source, requiredContainerType, requiredConnectionDetailsType)
                && !(MINIO_CONTAINER && MinioContainerConnectionDetailsFactory.accepts(source));
    }

    private static final class Details extends ContainerConnectionDetails<Container<?>>
            implements LitestreamConnectionDetails {

        private final Stores store;

        Details(Stores store, ContainerConnectionSource<Container<?>> source) {
            super(source);
            this.store = store;
        }

        @Override
        public Map<String, String> getSettings(String scheme) {
            return settings(store, scheme, getContainer());
        }
    }

    static final class Minio extends StoreContainerConnectionDetailsFactory {
        Minio() {
            super(Stores.MINIO);
        }
    }

    static final class BitnamiMinio extends StoreContainerConnectionDetailsFactory {
        BitnamiMinio() {
            super(Stores.BITNAMI_MINIO);
        }
    }

    static final class SeaweedFs extends StoreContainerConnectionDetailsFactory {
        SeaweedFs() {
            super(Stores.SEAWEEDFS);
        }
    }

    static final class RustFs extends StoreContainerConnectionDetailsFactory {
        RustFs() {
            super(Stores.RUSTFS);
        }
    }

    static final class LocalStack extends StoreContainerConnectionDetailsFactory {
        LocalStack() {
            super(Stores.LOCALSTACK);
        }
    }

    static final class Nats extends StoreContainerConnectionDetailsFactory {
        Nats() {
            super(Stores.NATS);
        }
    }
}
