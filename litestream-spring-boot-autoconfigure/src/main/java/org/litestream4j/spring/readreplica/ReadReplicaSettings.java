package org.litestream4j.spring.readreplica;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.litestream4j.readreplica.ReadReplicaOptions;
import org.litestream4j.replica.Redaction;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.spring.LitestreamSettingException;
import org.litestream4j.spring.ReadReplicaProperties;
import org.litestream4j.spring.ReplicaProperties;

/** Maps the settings of a read replica to the location and the options of the core. */
final class ReadReplicaSettings {

    private final String name;
    private final ReadReplicaProperties own;
    private final ReplicaProperties shared;

    /** @param shared settings of all replicas, whose URL does not count */
    ReadReplicaSettings(String name, ReadReplicaProperties own, ReplicaProperties shared) {
        this.name = name;
        this.own = own;
        this.shared = shared;
    }

    static String prefix(String name) {
        return "litestream.read-replicas." + Redaction.printable(name);
    }

    /** @throws LitestreamSettingException if the URL is absent or not valid */
    ReplicaLocation location() {
        String url = own.url();
        if (url == null || url.isBlank()) {
            throw new LitestreamSettingException(
                    "The read replica \"" + Redaction.printable(name) + "\" has no replica: " + prefix(name)
                            + ".url is not set.",
                    "Set it, for example to s3://bucket/path.");
        }
        try {
            String scheme = ReplicaLocation.of(url.strip()).scheme();
            Map<String, String> settings = new HashMap<>(shared.settings(scheme));
            settings.remove("bucket");
            settings.remove("path");
            ReplicaProperties access = own.replica();
            if (access != null) {
                settings.putAll(access.settings(scheme));
            }
            return new ReplicaLocation(url.strip(), settings);
        } catch (IllegalArgumentException e) {
            throw invalid(e);
        }
    }

    /**
     * Returns the options.
     *
     * @param replicaName name by which SQLite opens the read replica
     * @throws LitestreamSettingException if a setting is out of range
     */
    ReadReplicaOptions options(String replicaName) {
        try {
            ReadReplicaOptions.Builder options = ReadReplicaOptions.builder()
                    .name(replicaName)
                    .pollInterval(own.pollInterval())
                    .maxStaleness(own.maxStaleness())
                    .readTimeout(own.readTimeout())
                    .hydrate(own.hydration().enabled())
                    .folder(folder());
            if (own.cacheSize() != null) {
                options.cacheSize(own.cacheSize().toBytes());
            }
            if (own.readAhead() != null) {
                options.readAhead(own.readAhead().toBytes());
            }
            return options.build();
        } catch (IllegalArgumentException e) {
            throw invalid(e);
        }
    }

    private @Nullable Path folder() {
        String path = own.hydration().path();
        try {
            return path == null || path.isBlank() ? null : Path.of(path).toAbsolutePath();
        } catch (InvalidPathException e) {
            throw new LitestreamSettingException(
                    prefix(name) + ".hydration.path is not a valid path: " + e.getReason() + ".", "Correct the path.");
        }
    }

    private LitestreamSettingException invalid(IllegalArgumentException e) {
        return new LitestreamSettingException(
                "The read replica \"" + Redaction.printable(name) + "\" cannot be opened: " + e.getMessage() + ".",
                "Correct " + prefix(name) + ".*");
    }
}
