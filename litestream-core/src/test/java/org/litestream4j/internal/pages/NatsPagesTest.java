package org.litestream4j.internal.pages;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.nats.NatsServer;

class NatsPagesTest extends StorePagesContract {

    private static final AtomicInteger BUCKETS = new AtomicInteger();

    @TempDir
    static Path folder;

    private static NatsServer server;

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

    @Override
    ReplicaLocation location() {
        return new ReplicaLocation(
                "nats://" + server.address() + "/pages-" + BUCKETS.incrementAndGet() + "/path",
                Map.of("create-bucket", "true"));
    }
}
