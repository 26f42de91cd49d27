package org.litestream4j.replica.s3;

import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.litestream4j.interop.ReferenceInteropContract;
import org.litestream4j.replica.ReplicaLocation;

/** Over S3, with the metadata that each of them writes. */
class S3ReferenceInteropTest extends ReferenceInteropContract {

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
    protected ReplicaLocation freshLocation() {
        return S3Server.location(server.port(), server.freshPath(), "");
    }

    @Override
    protected String programUrl(ReplicaLocation location) {
        return location.url().replaceFirst("\\?.*", "") + "?endpoint=" + server.endpoint()
                + "&forcePathStyle=true&region=us-east-1";
    }

    @Override
    protected Map<String, String> programEnvironment() {
        return Map.of("AWS_ACCESS_KEY_ID", S3Server.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY", S3Server.SECRET_KEY);
    }
}
