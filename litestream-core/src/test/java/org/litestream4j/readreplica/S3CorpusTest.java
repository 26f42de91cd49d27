package org.litestream4j.readreplica;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.s3.S3Server;

class S3CorpusTest extends ReplicaCorpusContract {

    private static S3Server server;

    @BeforeAll
    static void startServer() throws Exception {
        server = new S3Server();
    }

    @AfterAll
    static void stopServer() throws Exception {
        server.close();
    }

    @Override
    ReplicaLocation location() {
        return ReplicaLocation.of("s3://" + S3Server.BUCKET + "/" + server.freshPath() + "?endpoint=127.0.0.1:"
                + server.endpoint().getPort() + "&accessKeyId=" + S3Server.ACCESS_KEY + "&secretAccessKey="
                + S3Server.SECRET_KEY.replace("+", "%2B"));
    }

    @Override
    int pageSize() {
        return 4096;
    }
}
