package org.litestream4j.replica.nats;

import java.util.Map;
import java.util.UUID;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaClientContract;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;
import org.testcontainers.utility.DockerImageName;

/** The contract, against a newer server in a container; reported as skipped where no Docker is. */
@Testcontainers(disabledWithoutDocker = true)
class NatsContainerTest extends ReplicaClientContract {

    @Container
    private static final GenericContainer<?> NATS = new GenericContainer<>(DockerImageName.parse("nats:2.12-alpine"))
            .withCommand("-js")
            .withExposedPorts(4222)
            .waitingFor(Wait.forLogMessage(".*Server is ready.*", 1));

    private final String bucket = "contract-" + UUID.randomUUID();

    @Override
    protected ReplicaClient newClient() {
        return Replicas.open(new ReplicaLocation(
                "nats://" + NATS.getHost() + ":" + NATS.getMappedPort(4222) + "/" + bucket,
                Map.of("create-bucket", "true")));
    }
}
