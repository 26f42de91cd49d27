package org.litestream4j.replica.s3;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaClientContract;

/** The contract, against a server in this process. */
class S3ReplicaClientTest extends ReplicaClientContract {

    private static S3Server server;

    private String path;

    @BeforeAll
    static void start() throws Exception {
        server = new S3Server();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    @BeforeEach
    void choosePath() {
        path = server.freshPath();
    }

    @Override
    protected ReplicaClient newClient() {
        return new S3Provider().create(S3Server.location(server.port(), path, ""));
    }
}
