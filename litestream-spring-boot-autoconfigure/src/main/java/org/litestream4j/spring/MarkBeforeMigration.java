package org.litestream4j.spring;

import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.Mark;
import org.litestream4j.restore.RestoreTarget;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Marks the state of a replicated database before migrations change it. */
final class MarkBeforeMigration {

    private static final Logger LOG = LoggerFactory.getLogger(MarkBeforeMigration.class);

    private static final String PREFIX = "before-migration-";
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
    private static final int MAX_VERSION = 30;

    private final Supplier<ReplicatedDatabases> databases;
    private final Supplier<LitestreamProperties> properties;

    /** @param databases called for the first migration: its bean must not be created by the creation of this object */
    MarkBeforeMigration(Supplier<ReplicatedDatabases> databases, Supplier<LitestreamProperties> properties) {
        this.databases = databases;
        this.properties = properties;
    }

    /** Finds out whether migrations are pending. */
    @FunctionalInterface
    interface Pending {

        /** Returns the version of the first pending migration, or what stands for it; empty if none is pending. */
        Optional<String> version() throws Exception;
    }

    /**
     * Sets a mark if the {@code DataSource} opens a replicated database that is not empty, and migrations are pending.
     *
     * @throws LitestreamSettingException if the mark cannot be set
     */
    void run(DataSource dataSource, Pending pending) {
        Optional<ManagedDatabase> database = DataSourceChain.replicated(dataSource)
                .map(ReplicatedDataSource::database)
                .or(() -> DataSourceUrls.url(dataSource)
                        .flatMap(url -> databases.get().forUrl(url)));
        if (database.isEmpty()) {
            return;
        }
        try {
            if (hasTables(dataSource)) {
                Optional<String> version = pending.version();
                if (version.isPresent()) {
                    mark(database.get(), version.get());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed(database.get(), e);
        } catch (Exception e) {
            throw failed(database.get(), e);
        }
    }

    private static boolean hasTables(DataSource dataSource) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("select count(*) from sqlite_master")) {
            return result.next() && result.getLong(1) > 0;
        }
    }

    private void mark(ManagedDatabase database, String version) throws IOException, InterruptedException {
        LitestreamProperties.Marks settings = properties.get().marks();
        Duration timeout = settings.beforeMigrationTimeout();
        String plain = version.replaceAll("[^A-Za-z0-9._-]", "-");
        String prefix = PREFIX + plain.substring(0, Math.min(plain.length(), MAX_VERSION)) + "-";
        database.sync(timeout);
        Txid now = database.status().replicated();
        for (Mark mark : database.marks()) { // of an earlier start whose migration failed
            if (mark.name().startsWith(prefix)
                    && mark.txid().equals(now)
                    && protects(mark, settings.beforeMigrationKeep(), Instant.now())) {
                LOG.info("state before the migration is marked already: db={} mark={}", database.name(), mark.name());
                return;
            }
        }
        Mark mark = database.mark(
                prefix + TIME.format(Instant.now()), RestoreTarget.latest(), settings.beforeMigrationKeep(), timeout);
        LOG.info(
                "state before the migration marked: db={} txid={} mark={} expires={}",
                database.name(),
                mark.txid(),
                mark.name(),
                mark.expires());
    }

    /** Returns whether a mark lasts as long as a new one, except for a tenth of the time, at most a day. */
    static boolean protects(Mark mark, Duration keep, Instant now) {
        Duration tenth = keep.dividedBy(10);
        Duration tolerance = tenth.compareTo(Duration.ofDays(1)) < 0 ? tenth : Duration.ofDays(1);
        return mark.expires() == null || !mark.isExpired(now.plus(keep).minus(tolerance));
    }

    private static LitestreamSettingException failed(ManagedDatabase database, Exception e) {
        LitestreamSettingException failure = new LitestreamSettingException(
                "The state of the database \"" + database.name() + "\" cannot be marked before its migration: "
                        + (e.getMessage() == null ? e.toString() : e.getMessage()) + ".",
                "Make the replica reachable and start again, or migrate without a mark:"
                        + " litestream.marks.before-migration=false.");
        failure.addSuppressed(e);
        return failure;
    }
}
