package org.litestream4j.spring;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.autoconfigure.service.connection.ConnectionDetails;

/**
 * Where replicas are and how to reach them, from somebody who knows better than the settings: a container of a test, Docker
 * Compose, a platform. What it says beats {@code litestream.replica.*} and {@code litestream.databases.*.replica.*}; what it does not
 * say comes from there.
 */
public interface LitestreamConnectionDetails extends ConnectionDetails {

    /** Address of the replica of the application's database; null leaves it to the settings. */
    default @Nullable String getUrl() {
        return null;
    }

    /**
     * Settings of the backend that serves a URL scheme, by the names below {@code litestream.replica.<scheme>}, such as {@code
     * endpoint}. They are those of all databases whose replica has this scheme.
     */
    default Map<String, String> getSettings(String scheme) {
        return Map.of();
    }
}
