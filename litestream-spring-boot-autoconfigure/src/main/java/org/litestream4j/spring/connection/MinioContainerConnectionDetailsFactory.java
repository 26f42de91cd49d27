package org.litestream4j.spring.connection;

import java.util.Map;
import org.litestream4j.spring.LitestreamConnectionDetails;
import org.springframework.boot.testcontainers.service.connection.ContainerConnectionDetailsFactory;
import org.springframework.boot.testcontainers.service.connection.ContainerConnectionSource;
import org.testcontainers.containers.MinIOContainer;

/**
 * Provides the address and the keys of a {@code MinIOContainer} with {@code @ServiceConnection}. The bucket comes from
 * the settings.
 */
final class MinioContainerConnectionDetailsFactory
        extends ContainerConnectionDetailsFactory<MinIOContainer, LitestreamConnectionDetails> {

    /** Returns whether a container is a {@code MinIOContainer}. */
    static boolean accepts(ContainerConnectionSource<?> source) {
        return source.accepts(ANY_CONNECTION_NAME, MinIOContainer.class, LitestreamConnectionDetails.class);
    }

    @Override
    protected LitestreamConnectionDetails getContainerConnectionDetails(
            ContainerConnectionSource<MinIOContainer> source) {
        return new Details(source);
    }

    private static final class Details extends ContainerConnectionDetails<MinIOContainer>
            implements LitestreamConnectionDetails {

        Details(ContainerConnectionSource<MinIOContainer> source) {
            super(source);
        }

        @Override
        public Map<String, String> getSettings(String scheme) {
            MinIOContainer minio = getContainer();
            return S3Settings.of(scheme, minio.getS3URL(), minio.getUserName(), minio.getPassword());
        }
    }
}
