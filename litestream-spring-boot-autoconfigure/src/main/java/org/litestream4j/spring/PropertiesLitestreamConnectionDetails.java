package org.litestream4j.spring;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Replica of the application's database according to the settings. */
final class PropertiesLitestreamConnectionDetails implements LitestreamConnectionDetails {

    private final ReplicaProperties replica;

    PropertiesLitestreamConnectionDetails(ReplicaProperties replica) {
        this.replica = replica;
    }

    @Override
    public @Nullable String getUrl() {
        return replica.url();
    }

    @Override
    public Map<String, String> getSettings(String scheme) {
        return replica.settings(scheme);
    }
}
