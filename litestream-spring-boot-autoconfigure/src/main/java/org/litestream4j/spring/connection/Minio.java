package org.litestream4j.spring.connection;

import java.util.Map;
import org.litestream4j.spring.LitestreamConnectionDetails;

/** Settings of an S3 replica in MinIO, except the bucket. */
final class Minio {

    private Minio() {}

    /** Implements {@link LitestreamConnectionDetails#getSettings}. */
    static Map<String, String> settings(String scheme, String endpoint, String user, String password) {
        return scheme.equals("s3")
                ? Map.of(
                        "endpoint",
                        endpoint,
                        "region",
                        "us-east-1", // MinIO's default; another region must be configured in MinIO
                        "force-path-style",
                        "true",
                        "access-key-id",
                        user,
                        "secret-access-key",
                        password,
                        "session-token",
                        "") // clears a token that belongs to other keys
                : Map.of();
    }
}
