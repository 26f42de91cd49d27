package org.litestream4j.spring.connection;

import java.util.Map;
import org.litestream4j.spring.LitestreamConnectionDetails;

/** What an S3 replica in MinIO needs beside a bucket. */
final class Minio {

    private Minio() {}

    /** As {@link LitestreamConnectionDetails#getSettings}. */
    static Map<String, String> settings(String scheme, String endpoint, String user, String password) {
        return scheme.equals("s3")
                ? Map.of(
                        "endpoint",
                        endpoint,
                        "region",
                        "us-east-1", // its own default; any other must be configured there
                        "force-path-style",
                        "true",
                        "access-key-id",
                        user,
                        "secret-access-key",
                        password,
                        "session-token",
                        "") // not one that was meant for other keys
                : Map.of();
    }
}
