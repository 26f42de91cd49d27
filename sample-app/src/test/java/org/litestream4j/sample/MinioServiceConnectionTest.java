package org.litestream4j.sample;

import org.junit.jupiter.api.BeforeAll;
import org.springframework.boot.testcontainers.service.connection.ServiceConnection;
import org.testcontainers.containers.MinIOContainer;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;
import org.testcontainers.utility.DockerImageName;

/** With MinIO in a container; reported as skipped where no Docker is. */
@Testcontainers(disabledWithoutDocker = true)
class MinioServiceConnectionTest extends ServiceConnectionContract {

    @Container
    @ServiceConnection
    private static final MinIOContainer MINIO = new MinIOContainer(
            DockerImageName.parse(System.getProperty("minio.image", "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z"))
                    .asCompatibleSubstituteFor("minio/minio"));

    @BeforeAll
    static void createBucket() throws Exception {
        MINIO.execInContainer("mkdir", "/data/" + BUCKET); // a folder in the root of its store becomes a bucket
    }
}
