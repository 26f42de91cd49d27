package org.litestream4j.internal.pages;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.s3.S3Server;

class S3PagesTest extends StorePagesContract {

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

    @Test
    void newTransaction_takesOneRequestBesideTheListing() throws Exception {
        assertThat(getsOfATransaction()).isEqualTo(1);
    }

    @Test
    void opening_takesFewRequests() throws Exception {
        assertThat(requestsOfOpening()).isEqualTo(1 + 2 + 3);
    }
}
