package org.litestream4j.spring;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.autoconfigure.service.connection.ConnectionDetails;

/**
 * Address of replicas and access to them, provided by a source that overrides the settings: a container of a test,
 * Docker Compose, a platform. Values provided here override {@code litestream.replica.*} and
 * {@code litestream.databases.*.replica.*}; all other values come from these settings.
 */
public interface LitestreamConnectionDetails extends ConnectionDetails {

    /** Returns the address of the replica of the application's database; null to use the settings. */
    default @Nullable String getUrl() {
        return null;
    }

    /**
     * Returns settings of the backend for a URL scheme, with the names below {@code litestream.replica.<scheme>}, such
     * as {@code endpoint}. They apply to all databases whose replica has this scheme.
     */
    default Map<String, String> getSettings(String scheme) {
        return Map.of();
    }
}
