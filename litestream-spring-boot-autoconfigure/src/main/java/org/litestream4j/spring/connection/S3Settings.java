package org.litestream4j.spring.connection;

import java.util.Map;
import org.litestream4j.spring.LitestreamConnectionDetails;

/** Settings of an S3 replica in a container, except the bucket. */
final class S3Settings {

    private S3Settings() {}

    /** Implements {@link LitestreamConnectionDetails#getSettings}. */
    static Map<String, String> of(String scheme, String endpoint, String user, String password) {
        return scheme.equals("s3")
                ? Map.of(
                        "endpoint",
                        endpoint,
                        "region",
                        "us-east-1", // the default of these stores; another region must be configured in them
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
