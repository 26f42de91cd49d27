package org.litestream4j.replica.s3;

import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaClientContract;
import org.litestream4j.replica.ReplicaLocation;
import org.testcontainers.containers.MinIOContainer;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;
import org.testcontainers.utility.DockerImageName;
import software.amazon.awssdk.services.s3.S3Client;

/** The contract, against MinIO in a container; reported as skipped where no Docker is. */
@Testcontainers(disabledWithoutDocker = true)
class S3MinioTest extends ReplicaClientContract {

    @Container
    private static final MinIOContainer MINIO =
            new MinIOContainer(DockerImageName.parse("quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z")
                    .asCompatibleSubstituteFor("minio/minio"));

    private final String path = UUID.randomUUID().toString();

    private static ReplicaLocation location(String path) {
        return ReplicaLocation.of("s3://" + S3Server.BUCKET + "/" + path + "?endpoint=" + MINIO.getS3URL()
                + "&accessKeyId=" + MINIO.getUserName() + "&secretAccessKey=" + MINIO.getPassword());
    }

    @BeforeAll
    static void createBucket() {
        try (S3Client client = S3Clients.build(S3SettingsParser.parse(location("")), "us-east-1", null)) {
            client.createBucket(request -> request.bucket(S3Server.BUCKET));
        }
    }

    @Override
    protected ReplicaClient newClient() {
        return new S3Provider().create(location(path));
    }
}
