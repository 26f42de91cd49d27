package org.litestream4j;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.litestream4j.compaction.Levels;
import org.litestream4j.compaction.SnapshotKeep;
import org.litestream4j.internal.files.FileProblem;
import org.litestream4j.internal.files.NonAsciiNames;
import org.litestream4j.internal.files.SqlitePaths;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.replica.Redaction;
import org.litestream4j.replica.ReplicaLocation;

/**
 * Configuration of one database and its replica. Immutable. Created by {@link #builder}, which validates all options
 * together. Where Litestream has the same setting, the default is Litestream's.
 *
 * @param name name of the database in status, metrics and logs
 * @param path absolute path of the database file; the file need not exist yet
 * @param replica replica to which the database is replicated
 * @param metaPath absolute path of the folder for the local state; default: {@code .<file name>-litestream} beside
 *     the database
 * @param syncInterval shortest time between two captures of a busy database; default: 1 s
 * @param busyTimeout longest wait for SQLite's locks; default: 1 s
 * @param checkpointInterval longest time between a write and the checkpoint that follows it; default: 1 min
 * @param minCheckpointPages pages in the WAL from which a checkpoint is worth its cost; default: 1,000
 * @param walLimitPages pages in the WAL from which writers are held back briefly so that the WAL can be restarted;
 *     default: 16,384
 * @param maxSyncWalBytes WAL bytes after which a level-0 file ends, at the next commit; default: 64 MiB
 * @param level0Retention time for which level-0 files are kept: locally after they are replicated, on the replica
 *     after they are merged; default: 5 min
 * @param levels intervals of levels 1, 2 and so on; 1 to 8 of them, ascending; default: 30 s, 5 min, 1 h
 * @param snapshotInterval time between two snapshots of a database that changes; default: 24 h
 * @param snapshotRetention period of history that is kept at least; default: 24 h
 * @param snapshotKeep snapshots that are kept beyond the retention: the first of each of the last hours, days, weeks,
 *     months and years; default: none
 * @param retentionEnabled whether expired files are deleted from the replica; false leaves all deletion to the
 *     lifecycle rules of the store; default: true
 * @param validationInterval interval at which the replica of a database that changes is checked for gaps; zero, the
 *     default, disables the check
 * @param shutdownSyncTimeout longest wait for the last upload when closing; default: 30 s
 * @param pageEncoding encoding of pages in LTX files; {@code FRAME} is needed only for a hand-over to Litestream
 *     before 0.5.16
 * @param databaseChecksum whether each captured state gets a checksum that restores verify, at a cost of 8 bytes of
 *     memory per page of the database; default: true
 * @param failFast whether registering an existing database fails if its replica denies access (permissions,
 *     credentials, a missing bucket); if false, access is retried. Registering a database whose file is missing fails
 *     in either case; default: true
 * @param replaceWithEmpty whether an empty database may be replicated to a replica that holds data; default: false
 * @param adoptReplica whether a database without local state may be replicated to a replica whose content does not
 *     prove that it belongs to this database; default: false
 * @param autoRecover whether damage is repaired where that is safe: damaged local files that were not uploaded yet
 *     are replaced by a full image, damage on the replica by a snapshot; if false, damage is only reported; default:
 *     true
 * @param durability guarantee given when a commit through the wrapped {@code DataSource} returns; default:
 *     {@code ASYNC}
 * @param durabilityTimeout longest wait of a commit for its replication; default: 10 s
 */
public record DatabaseConfig(
        String name,
        Path path,
        ReplicaLocation replica,
        Path metaPath,
        Duration syncInterval,
        Duration busyTimeout,
        Duration checkpointInterval,
        int minCheckpointPages,
        int walLimitPages,
        long maxSyncWalBytes,
        Duration level0Retention,
        List<Duration> levels,
        Duration snapshotInterval,
        Duration snapshotRetention,
        SnapshotKeep snapshotKeep,
        boolean retentionEnabled,
        Duration validationInterval,
        Duration shutdownSyncTimeout,
        PageEncoding pageEncoding,
        boolean databaseChecksum,
        boolean failFast,
        boolean replaceWithEmpty,
        boolean adoptReplica,
        boolean autoRecover,
        Durability durability,
        Duration durabilityTimeout) {

    public static Builder builder(Path path, ReplicaLocation replica) {
        return new Builder(path, replica);
    }

    /** @throws InvalidOptionException if an option is invalid; names the option, its value and the allowed values */
    public DatabaseConfig {
        requireNonNull(replica, "replica");
        requireNonNull(pageEncoding, "pageEncoding");
        requireNonNull(durability, "durability");
        check(!name.isBlank(), "name", name, "not blank");
        check(Redaction.printable(name).equals(name), "name", Redaction.printable(name), "without control characters");
        String file = path.toString();
        check(Redaction.printable(file).equals(file), "path", Redaction.printable(file), "without control characters");
        check(path.isAbsolute(), "path", path, "absolute");
        check(metaPath.isAbsolute(), "metaPath", metaPath, "absolute");
        check(atLeast(syncInterval, Duration.ofMillis(1)), "syncInterval", syncInterval, "at least 1 ms");
        check(atLeast(busyTimeout, Duration.ZERO), "busyTimeout", busyTimeout, "not negative");
        check(
                atLeast(checkpointInterval, Duration.ofMillis(1)),
                "checkpointInterval",
                checkpointInterval,
                "at least 1 ms");
        check(minCheckpointPages >= 1, "minCheckpointPages", minCheckpointPages, "at least 1");
        check(
                walLimitPages >= minCheckpointPages,
                "walLimitPages",
                walLimitPages,
                "at least " + minCheckpointPages + ", the configured minimum of pages for a checkpoint");
        check(maxSyncWalBytes >= 1 << 20, "maxSyncWalBytes", maxSyncWalBytes, "at least 1 MiB");
        check(atLeast(level0Retention, Duration.ZERO), "level0Retention", level0Retention, "not negative");
        check(Levels.areAllowed(levels), "levels", levels, Levels.ALLOWED);
        levels = List.copyOf(levels);
        check(atLeast(snapshotInterval, Duration.ofSeconds(1)), "snapshotInterval", snapshotInterval, "at least 1 s");
        check(atLeast(snapshotRetention, Duration.ZERO), "snapshotRetention", snapshotRetention, "not negative");
        for (SnapshotKeep.Period period : SnapshotKeep.Period.values()) {
            checkKeep(period, snapshotKeep.count(period), snapshotInterval, snapshotRetention);
        }
        check(atLeast(validationInterval, Duration.ZERO), "validationInterval", validationInterval, "not negative");
        check(atLeast(shutdownSyncTimeout, Duration.ZERO), "shutdownSyncTimeout", shutdownSyncTimeout, "not negative");
        check(
                atLeast(durabilityTimeout, Duration.ofMillis(1)),
                "durabilityTimeout",
                durabilityTimeout,
                "at least 1 ms");
    }

    /** Returns the default folder for the local state of a database, as an absolute path. */
    public static Path defaultMetaPath(Path database) {
        Path absolute = resolve(database);
        return absolute.resolveSibling("." + absolute.getFileName() + "-litestream");
    }

    /**
     * Returns the absolute path of the file that SQLite opens or creates for a path. All symbolic links are resolved;
     * {@code ..} after a link leads to the parent of the link's target. The WAL and the local state lie beside the
     * returned file.
     *
     * @throws IllegalArgumentException if the links form a loop or cannot be read, or if a name has bytes that are not
     *     characters in the process's locale
     */
    public static Path resolve(Path database) {
        try {
            Path resolved = SqlitePaths.resolve(database);
            NonAsciiNames.requireText(resolved);
            return resolved;
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "database path " + database + " cannot be resolved: " + FileProblem.of(e), e);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("database path " + database + " cannot be used: " + e.getMessage(), e);
        }
    }

    /**
     * Returns the absolute path of the file that SQLite opens or creates for the text of a path.
     *
     * @throws IllegalArgumentException as {@link #resolve(Path)}, or if the system cannot have such a name
     */
    public static Path resolve(String database) {
        return resolve(NonAsciiNames.path(database));
    }

    /** Checks that snapshots are taken often enough to keep one for each period beyond the retention. */
    private static void checkKeep(SnapshotKeep.Period period, int count, Duration interval, Duration retention) {
        Duration length = period.shortest();
        boolean covered = atLeast(retention, length.multipliedBy(count));
        check(
                count == 0 || covered || atLeast(length, interval),
                "snapshotKeep." + period.name().toLowerCase(Locale.ROOT),
                count,
                "0, or have a snapshot interval of at most " + length + " (it is " + interval
                        + "), or a snapshot retention of at least " + length.multipliedBy(count));
    }

    private static boolean atLeast(Duration value, Duration least) {
        return value.compareTo(least) >= 0;
    }

    private static void check(boolean ok, String option, Object value, String allowed) {
        if (!ok) {
            throw new InvalidOptionException(option, value.toString(), allowed);
        }
    }

    /**
     * Builder of a configuration. Each method sets the component of the same name; {@link #build} validates them
     * together. Not thread-safe.
     */
    public static final class Builder {
        private final Path path;
        private final ReplicaLocation replica;
        private @Nullable String name;
        private @Nullable Path metaPath;
        private Duration syncInterval = Duration.ofSeconds(1);
        private Duration busyTimeout = Duration.ofSeconds(1);
        private Duration checkpointInterval = Duration.ofMinutes(1);
        private int minCheckpointPages = 1_000;
        private int walLimitPages = 16_384;
        private long maxSyncWalBytes = 64L << 20;
        private Duration level0Retention = Duration.ofMinutes(5);
        private List<Duration> levels = Levels.DEFAULT.intervals();
        private Duration snapshotInterval = Duration.ofHours(24);
        private Duration snapshotRetention = Duration.ofHours(24);
        private SnapshotKeep snapshotKeep = SnapshotKeep.NONE;
        private boolean retentionEnabled = true;
        private Duration validationInterval = Duration.ZERO;
        private Duration shutdownSyncTimeout = Duration.ofSeconds(30);
        private PageEncoding pageEncoding = PageEncoding.BLOCK;
        private boolean databaseChecksum = true;
        private boolean failFast = true;
        private boolean replaceWithEmpty;
        private boolean adoptReplica;
        private boolean autoRecover = true;
        private Durability durability = Durability.ASYNC;
        private Duration durabilityTimeout = Duration.ofSeconds(10);

        private Builder(Path path, ReplicaLocation replica) {
            this.path = resolve(path);
            this.replica = requireNonNull(replica, "replica");
        }

        /** Sets the name; default: the file name of the database. */
        public Builder name(String value) {
            name = value;
            return this;
        }

        public Builder metaPath(Path value) {
            metaPath = value.toAbsolutePath().normalize();
            return this;
        }

        public Builder syncInterval(Duration value) {
            syncInterval = value;
            return this;
        }

        public Builder busyTimeout(Duration value) {
            busyTimeout = value;
            return this;
        }

        public Builder checkpointInterval(Duration value) {
            checkpointInterval = value;
            return this;
        }

        public Builder minCheckpointPages(int value) {
            minCheckpointPages = value;
            return this;
        }

        public Builder walLimitPages(int value) {
            walLimitPages = value;
            return this;
        }

        public Builder maxSyncWalBytes(long value) {
            maxSyncWalBytes = value;
            return this;
        }

        public Builder level0Retention(Duration value) {
            level0Retention = value;
            return this;
        }

        public Builder levels(List<Duration> value) {
            levels = List.copyOf(value);
            return this;
        }

        public Builder snapshotInterval(Duration value) {
            snapshotInterval = value;
            return this;
        }

        public Builder snapshotRetention(Duration value) {
            snapshotRetention = value;
            return this;
        }

        public Builder snapshotKeep(SnapshotKeep value) {
            snapshotKeep = value;
            return this;
        }

        public Builder retentionEnabled(boolean value) {
            retentionEnabled = value;
            return this;
        }

        public Builder validationInterval(Duration value) {
            validationInterval = value;
            return this;
        }

        public Builder shutdownSyncTimeout(Duration value) {
            shutdownSyncTimeout = value;
            return this;
        }

        public Builder pageEncoding(PageEncoding value) {
            pageEncoding = value;
            return this;
        }

        public Builder databaseChecksum(boolean value) {
            databaseChecksum = value;
            return this;
        }

        public Builder failFast(boolean value) {
            failFast = value;
            return this;
        }

        public Builder replaceWithEmpty(boolean value) {
            replaceWithEmpty = value;
            return this;
        }

        public Builder adoptReplica(boolean value) {
            adoptReplica = value;
            return this;
        }

        public Builder autoRecover(boolean value) {
            autoRecover = value;
            return this;
        }

        public Builder durability(Durability value) {
            durability = value;
            return this;
        }

        public Builder durabilityTimeout(Duration value) {
            durabilityTimeout = value;
            return this;
        }

        /**
         * Validates the options and returns the configuration.
         *
         * @throws InvalidOptionException if an option is invalid; names the option, its value and the allowed
         *     values
         */
        public DatabaseConfig build() {
            Path fileName = path.getFileName();
            if (fileName == null) {
                throw new IllegalArgumentException("database path names no file: " + path);
            }
            return new DatabaseConfig(
                    name != null ? name : fileName.toString(),
                    path,
                    replica,
                    metaPath != null ? metaPath : defaultMetaPath(path),
                    syncInterval,
                    busyTimeout,
                    checkpointInterval,
                    minCheckpointPages,
                    walLimitPages,
                    maxSyncWalBytes,
                    level0Retention,
                    levels,
                    snapshotInterval,
                    snapshotRetention,
                    snapshotKeep,
                    retentionEnabled,
                    validationInterval,
                    shutdownSyncTimeout,
                    pageEncoding,
                    databaseChecksum,
                    failFast,
                    replaceWithEmpty,
                    adoptReplica,
                    autoRecover,
                    durability,
                    durabilityTimeout);
        }
    }
}
