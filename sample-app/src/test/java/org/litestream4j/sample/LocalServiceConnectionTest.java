package org.litestream4j.sample;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.util.Properties;
import org.gaul.s3proxy.BlobStores;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.junit.jupiter.api.AfterAll;
import org.springframework.boot.testcontainers.service.connection.ServiceConnection;
import org.testcontainers.containers.MinIOContainer;

/** Without Docker: the server of the container runs in this process. The rest of the way is the same. */
class LocalServiceConnectionTest extends ServiceConnectionContract {

    @ServiceConnection
    private static final MinIOContainer MINIO = new Local();

    @AfterAll
    static void stop() {
        MINIO.stop();
    }

    private static final class Local extends MinIOContainer {

        private static final String IMAGE = "minio/minio:local";

        private S3Proxy server;

        Local() {
            super(IMAGE);
            withUserName("test");
            withPassword("test-secret");
        }

        @Override
        public String getDockerImageName() {
            return IMAGE; // asks Docker otherwise
        }

        @Override
        public void start() {
            if (server != null) {
                return;
            }
            try {
                Properties store = new Properties();
                store.setProperty(
                        "jclouds.filesystem.basedir",
                        Files.createDirectories(folder.resolve("s3/" + BUCKET))
                                .getParent()
                                .toString());
                server = S3Proxy.builder()
                        .blobStore(BlobStores.create("filesystem-nio2", store))
                        .endpoint(URI.create("http://127.0.0.1:0"))
                        .awsAuthentication(AuthenticationType.AWS_V4, getUserName(), getPassword())
                        .build();
                server.start();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (Exception e) { // what S3Proxy declares
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void stop() {
            if (server != null) {
                try {
                    server.stop();
                } catch (Exception e) { // what S3Proxy declares
                    throw new IllegalStateException(e);
                }
            }
        }

        @Override
        public String getS3URL() {
            return "http://127.0.0.1:" + server.getPort();
        }
    }
}
