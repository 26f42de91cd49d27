package org.litestream4j;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.compaction.Levels;
import org.litestream4j.internal.files.SqlitePaths;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.replica.Redaction;
import org.litestream4j.replica.ReplicaLocation;

/**
 * One database and its replica. Immutable; made by {@link #builder}, which checks the whole once. Defaults are
 * Litestream's where it has the setting.
 *
 * @param name what status, metrics and logs call the database
 * @param path of the database file, absolute; need not exist yet
 * @param replica where it goes to
 * @param metaPath folder of the local state, absolute; by default {@code .<file name>-litestream} beside the database
 * @param syncInterval shortest time between two captures of a busy database; 1 s
 * @param busyTimeout longest wait for SQLite's locks; 1 s
 * @param checkpointInterval a database that was written is checkpointed after this time at the latest; 1 min
 * @param minCheckpointPages pages in the WAL from which a checkpoint is worth its cost; 1,000
 * @param walLimitPages pages in the WAL from which writers are held back for a moment so that it can start again; 16,384
 * @param maxSyncWalBytes WAL bytes after which one level-0 file ends (at the next commit); 64 MiB
 * @param level0Retention how long level-0 files are kept: here once they are replicated, on the replica once they are merged; 5 min
 * @param levels intervals of levels 1, 2 and so on, 1 to 8 of them, ascending; 30 s, 5 min, 1 h
 * @param snapshotInterval time between two snapshots of a database that changes; 24 h
 * @param snapshotRetention how much past is kept at least; 24 h
 * @param retentionEnabled false leaves all deleting on the replica to rules of the store; true
 * @param validationInterval how often the replica of a database that changes is checked for gaps; zero for never, the default
 * @param shutdownSyncTimeout longest wait for the last upload when closing; 30 s
 * @param pageEncoding how pages are written; {@code FRAME} only for a hand-over to Litestream before 0.5.16
 * @param databaseChecksum whether each captured state gets a checksum that restores compare, at 8 bytes of memory per page of the
 *     database; true
 * @param failFast whether the registration of a database that exists fails where its replica refuses (rights, login, a missing
 *     bucket); if not, it is retried. That of a missing database fails in any case; true
 * @param replaceWithEmpty whether an empty database may follow on a replica that holds data; false
 * @param adoptReplica whether a database without local state may follow on a replica whose content does not show that it is its
 *     own; false
 * @param autoRecover whether damage is healed where that is safe: local files that were not uploaded yet by a full image, the
 *     replica by a snapshot; else it is only reported; true
 * @param durability what the return of a commit through the wrapped {@code DataSource} means; {@code ASYNC}
 * @param durabilityTimeout longest wait of a commit for the replica; 10 s
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

    /** @throws InvalidOptionException naming the option, its value and what is allowed */
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
                "at least " + minCheckpointPages + ", the pages from which a checkpoint is worth its cost");
        check(maxSyncWalBytes >= 1 << 20, "maxSyncWalBytes", maxSyncWalBytes, "at least 1 MiB");
        check(atLeast(level0Retention, Duration.ZERO), "level0Retention", level0Retention, "not negative");
        check(Levels.areAllowed(levels), "levels", levels, Levels.ALLOWED);
        levels = List.copyOf(levels);
        check(atLeast(snapshotInterval, Duration.ofSeconds(1)), "snapshotInterval", snapshotInterval, "at least 1 s");
        check(atLeast(snapshotRetention, Duration.ZERO), "snapshotRetention", snapshotRetention, "not negative");
        check(atLeast(validationInterval, Duration.ZERO), "validationInterval", validationInterval, "not negative");
        check(atLeast(shutdownSyncTimeout, Duration.ZERO), "shutdownSyncTimeout", shutdownSyncTimeout, "not negative");
        check(
                atLeast(durabilityTimeout, Duration.ofMillis(1)),
                "durabilityTimeout",
                durabilityTimeout,
                "at least 1 ms");
    }

    /** Where the local state of a database lies unless configured otherwise; absolute. */
    public static Path defaultMetaPath(Path database) {
        Path absolute = resolve(database);
        return absolute.resolveSibling("." + absolute.getFileName() + "-litestream");
    }

    /**
     * Returns the absolute path of the file that SQLite opens or creates for a path: all symbolic links are resolved, and
     * {@code ..} behind a link leads to the parent of the link's target. The WAL and the local state lie beside that file.
     *
     * @throws IllegalArgumentException if the links form a loop or cannot be read
     */
    public static Path resolve(Path database) {
        try {
            return SqlitePaths.resolve(database);
        } catch (IOException e) {
            throw new IllegalArgumentException("database path " + database + " cannot be resolved: " + e, e);
        }
    }

    private static boolean atLeast(Duration value, Duration least) {
        return value.compareTo(least) >= 0;
    }

    private static void check(boolean ok, String option, Object value, String allowed) {
        if (!ok) {
            throw new InvalidOptionException(option, value.toString(), allowed);
        }
    }

    /** Collects options; not thread-safe. */
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

        /** By default the file name of the database. */
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
         * Checks the options and makes the configuration.
         *
         * @throws InvalidOptionException naming the option, its value and what is allowed
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
