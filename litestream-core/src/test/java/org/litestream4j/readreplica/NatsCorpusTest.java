package org.litestream4j.readreplica;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.nats.NatsServer;

class NatsCorpusTest extends ReplicaCorpusContract {

    private static final AtomicInteger BUCKETS = new AtomicInteger();

    @TempDir
    static Path store;

    private static NatsServer server;

    @BeforeAll
    static void startServer() {
        server = NatsServer.start(store);
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
                "nats://" + server.address() + "/corpus-" + BUCKETS.incrementAndGet() + "/path",
                Map.of("create-bucket", "true"));
    }

    @Override
    int pageSize() {
        return 65_536;
    }
}
