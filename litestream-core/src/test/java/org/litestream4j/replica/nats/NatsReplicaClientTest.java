package org.litestream4j.replica.nats;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaClientContract;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;

/** The contract of all backends, over a real server. */
class NatsReplicaClientTest extends ReplicaClientContract {

    private static final AtomicInteger BUCKETS = new AtomicInteger();

    @TempDir
    static Path folder;

    private static NatsServer server;

    private String bucket;

    @BeforeAll
    static void startServer() {
        server = NatsServer.start(folder);
    }

    @AfterAll
    static void stopServer() {
        if (server != null) {
            server.close();
        }
    }

    @BeforeEach
    void nameBucket() {
        bucket = "contract-" + BUCKETS.incrementAndGet();
    }

    @Override
    protected ReplicaClient newClient() {
        return Replicas.open(new ReplicaLocation(
                "nats://" + server.address() + "/" + bucket + "/some/path", Map.of("create-bucket", "true")));
    }
}
