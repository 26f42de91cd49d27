package org.litestream4j.spring;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.InvalidOptionException;
import org.litestream4j.compaction.SnapshotKeep;
import org.litestream4j.replica.Redaction;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.spring.LitestreamProperties.Database;
import org.litestream4j.spring.ReplicaProperties.FailFast;
import org.springframework.boot.context.properties.bind.DataObjectPropertyName;

/** Maps the settings of one database, its own and the shared ones, to the configuration of the core. */
final class DatabaseSettings {

    private static final LitestreamProperties.OwnSnapshot NO_OWN_SNAPSHOT =
            new LitestreamProperties.OwnSnapshot(null, null, null);

    /** Settings of a database without an entry. */
    static final Database NO_OVERRIDES = new Database(
            true, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
            null, null, null, null, null, null);

    private static final Map<String, String> NAMED_OTHERWISE = Map.of(
            "max-sync-wal-bytes", "max-sync-wal-size",
            "snapshot-interval", "snapshot.interval",
            "snapshot-retention", "snapshot.retention",
            "validation-interval", "validation.interval");

    private final LitestreamProperties properties;
    private final LitestreamConnectionDetails details;

    DatabaseSettings(LitestreamProperties properties, LitestreamConnectionDetails details) {
        this.properties = properties;
        this.details = details;
    }

    /** @throws LitestreamSettingException if a setting is out of range; names the setting */
    void check() {
        checkHealth();
        checkRestore();
    }

    /**
     * Maps the settings of one database.
     *
     * @param key key of its entry, for messages
     * @param own its entry
     * @throws LitestreamSettingException if a setting is out of range; names the setting
     */
    DatabaseConfig config(
            String key, String name, Path path, Database own, ReplicaLocation replica, @Nullable String metaPath) {
        LitestreamProperties.OwnSnapshot ownSnapshot = either(own.snapshot(), NO_OWN_SNAPSHOT);
        DatabaseConfig.Builder builder = DatabaseConfig.builder(path, replica)
                .name(name)
                .syncInterval(either(own.syncInterval(), properties.syncInterval()))
                .busyTimeout(either(own.busyTimeout(), properties.busyTimeout()))
                .checkpointInterval(either(own.checkpointInterval(), properties.checkpointInterval()))
                .minCheckpointPages(either(own.minCheckpointPages(), properties.minCheckpointPages()))
                .walLimitPages(either(own.walLimitPages(), properties.walLimitPages()))
                .maxSyncWalBytes(either(own.maxSyncWalSize(), properties.maxSyncWalSize())
                        .toBytes())
                .level0Retention(either(own.level0Retention(), properties.level0Retention()))
                .levels(either(own.levels(), properties.levels()))
                .snapshotInterval(
                        either(ownSnapshot.interval(), properties.snapshot().interval()))
                .snapshotRetention(
                        either(ownSnapshot.retention(), properties.snapshot().retention()))
                .snapshotKeep(keep(
                        key,
                        own,
                        either(ownSnapshot.keep(), properties.snapshot().keep())))
                .retentionEnabled(
                        either(own.retention(), properties.retention()).enabled())
                .validationInterval(
                        either(own.validation(), properties.validation()).interval())
                .shutdownSyncTimeout(either(own.shutdownSyncTimeout(), properties.shutdownSyncTimeout()))
                .pageEncoding(either(own.pageEncoding(), properties.pageEncoding()))
                .databaseChecksum(either(own.databaseChecksum(), properties.databaseChecksum()))
                .failFast(failFast(own) == FailFast.ALWAYS)
                .replaceWithEmpty(either(own.replaceWithEmpty(), properties.replaceWithEmpty()))
                .adoptReplica(either(own.adoptReplica(), properties.adoptReplica()))
                .autoRecover(either(own.autoRecover(), properties.autoRecover()))
                .durability(either(own.durability(), properties.durability()))
                .durabilityTimeout(either(own.durabilityTimeout(), properties.durabilityTimeout()));
        if (metaPath != null) {
            builder.metaPath(path(name, metaPath));
        }
        try {
            return builder.build();
        } catch (InvalidOptionException e) {
            throw new LitestreamSettingException(
                    "A setting of the database \"" + name + "\" (" + path + ") is out of range: " + describe(e) + ".",
                    own.equals(NO_OVERRIDES)
                            ? "Correct litestream.*."
                            : "Correct litestream.* or " + DatabaseEntries.setting(key) + ".*");
        }
    }

    private static SnapshotKeep keep(String key, Database own, LitestreamProperties.Keep keep) {
        try {
            return new SnapshotKeep(keep.hourly(), keep.daily(), keep.weekly(), keep.monthly(), keep.yearly());
        } catch (IllegalArgumentException e) {
            boolean ofOwn = own.snapshot() != null && own.snapshot().keep() != null;
            String setting = (ofOwn ? DatabaseEntries.setting(key) : "litestream") + ".snapshot.keep.";
            throw new LitestreamSettingException(setting + e.getMessage() + ".", "Correct that setting.");
        }
    }

    private FailFast failFast(Database own) {
        FailFast ofOwn = own.replica() == null ? null : own.replica().failFast();
        FailFast shared = properties.replica().failFast();
        return either(ofOwn, either(shared, FailFast.AUTO));
    }

    private static String describe(InvalidOptionException e) {
        return setting(e.option()) + " = " + e.value() + ": must be " + e.allowed();
    }

    private static String setting(String option) {
        if (option.startsWith("snapshotKeep.")) {
            return option.replace("snapshotKeep.", "snapshot.keep.");
        }
        String dashed = DataObjectPropertyName.toDashedForm(option);
        return NAMED_OTHERWISE.getOrDefault(dashed, dashed);
    }

    /**
     * Returns the replica of one database.
     *
     * @param name name of its entry, for messages
     * @param own its entry
     * @param ofApplication whether it is the application's database, to which the shared URL applies
     */
    ReplicaLocation replica(String name, Path path, Database own, boolean ofApplication) {
        String url = own.replica() != null ? own.replica().url() : null;
        boolean shared = url == null && ofApplication;
        if (shared) {
            url = properties.replica().url();
        }
        boolean detailed = !(details instanceof PropertiesLitestreamConnectionDetails);
        if (detailed && ofApplication && details.getUrl() != null) {
            url = details.getUrl();
        }
        if (url == null || url.isBlank()) {
            String setting = ofApplication ? "litestream.replica.url" : DatabaseEntries.setting(name) + ".replica.url";
            throw new LitestreamSettingException(
                    "The database " + path + " has no replica: " + setting + " is not set.",
                    "Set " + setting + ", for example to file:///var/backups/app, or set litestream.enabled=false where"
                            + " nothing is to be replicated.");
        }
        try {
            String scheme = ReplicaLocation.of(url.strip()).scheme();
            Map<String, String> settings = new HashMap<>(properties.replica().settings(scheme));
            if (!shared) { // shares credentials and the like, but not the location
                settings.remove("bucket");
                settings.remove("path");
            }
            if (own.replica() != null) {
                settings.putAll(own.replica().settings(scheme));
            }
            if (detailed) {
                settings.putAll(details.getSettings(scheme));
            }
            return new ReplicaLocation(url.strip(), settings);
        } catch (IllegalArgumentException e) {
            throw new LitestreamSettingException(
                    "The replica of the database " + path + " cannot be used: " + e.getMessage() + ".",
                    "Correct the replica's URL.");
        }
    }

    private void checkHealth() {
        LitestreamProperties.Health health = properties.health();
        if (health.lagWarning().isNegative() || health.lagDown().compareTo(health.lagWarning()) < 0) {
            throw new LitestreamSettingException(
                    "litestream.health.lag-warning = " + health.lagWarning() + " and litestream.health.lag-down = "
                            + health.lagDown() + " contradict each other.",
                    "Write 0 <= lag-warning <= lag-down.");
        }
    }

    private void checkRestore() {
        LitestreamProperties.Restore restore = properties.restore();
        if (restore.parallelism() < 1 || restore.parallelism() > RestoreOptions.MAX_PARALLELISM) {
            throw new LitestreamSettingException(
                    "litestream.restore.parallelism = " + restore.parallelism() + " is out of range.",
                    "Write a number from 1 to " + RestoreOptions.MAX_PARALLELISM + ".");
        }
        if (restore.directory() != null) {
            try {
                if (restore.directory().isBlank() || Files.isRegularFile(Path.of(restore.directory()))) {
                    throw noFolder(restore.directory());
                }
            } catch (InvalidPathException e) {
                throw noFolder(restore.directory());
            }
        }
    }

    private static LitestreamSettingException noFolder(String directory) {
        return new LitestreamSettingException(
                "litestream.restore.directory = \"" + directory + "\" is not a folder.",
                "Name a folder (it is created when it is needed), or leave it out.");
    }

    /** Returns an absolute path. Blanks and line breaks around it, as in environment variables, are removed. */
    static Path path(String name, String value) {
        String plain = value.strip();
        refuseUrl(name, plain);
        try {
            return DatabaseConfig.resolve(plain);
        } catch (IllegalArgumentException e) {
            throw new LitestreamSettingException(
                    "A path of the database \"" + Redaction.printable(name) + "\" is not valid: " + e.getMessage()
                            + ".",
                    "Correct the path.");
        }
    }

    /** Rejects what Java would take for the name of a folder in the working directory. */
    private static void refuseUrl(String name, String path) {
        String written = "A path of the database \"" + Redaction.printable(name) + "\" ";
        if (path.matches("(?i)(?:jdbc|file):.*")) {
            throw new LitestreamSettingException(written + "is a URL.", "Write the path of the file: /data/app.db");
        }
        if (path.equals("~") || path.startsWith("~/")) {
            throw new LitestreamSettingException(
                    written + "begins with ~, which only shells expand.",
                    "Write ${user.home} instead of ~, or an absolute path.");
        }
    }

    private static <T> T either(@Nullable T own, T shared) {
        return own != null ? own : shared;
    }
}
