package org.litestream4j.replica.s3;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.litestream4j.replica.ReplicaLocation;

/** The engine over S3, against a server in this process. */
class S3EngineTest extends S3EngineContract {

    private static S3Server server;

    @BeforeAll
    static void start() throws Exception {
        server = new S3Server();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    @Override
    ReplicaLocation freshLocation() {
        return S3Server.location(server.port(), server.freshPath(), "");
    }
}
