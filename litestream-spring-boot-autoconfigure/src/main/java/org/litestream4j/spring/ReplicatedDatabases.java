package org.litestream4j.spring;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.Litestream;
import org.litestream4j.LitestreamException;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.spring.LitestreamProperties.OnStartup;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.InitializingBean;

/**
 * Restores the configured databases where they are missing, then begins to replicate them. Every {@code DataSource} and
 * every database initializer depends on this bean, and it on {@link Litestream}: so this comes before the first
 * connection, and {@link Litestream#close()}, with the final flush, after the last.
 */
final class ReplicatedDatabases implements InitializingBean {

    private static final Logger LOG = LoggerFactory.getLogger(ReplicatedDatabases.class);

    private final Litestream litestream;
    private final LitestreamProperties properties;
    private final ApplicationDatabase application;
    private final LitestreamConnectionDetails details;

    ReplicatedDatabases(
            Litestream litestream,
            LitestreamProperties properties,
            ApplicationDatabase application,
            LitestreamConnectionDetails details) {
        this.litestream = litestream;
        this.properties = properties;
        this.application = application;
        this.details = details;
    }

    @Override
    public void afterPropertiesSet() throws IOException {
        List<DatabaseConfig> configs = new DatabaseConfigs(properties, application, details).create();
        for (DatabaseConfig config : configs) {
            begin(config);
        }
    }

    private void begin(DatabaseConfig config) throws IOException {
        try {
            if (properties.restore().onStartup() == OnStartup.IF_MISSING) {
                restore(config);
            }
            createFolder(config.path());
            DatabaseStatus status = litestream.register(config).status();
            LOG.info(
                    "database registered: db={} path={} replica={} state={}",
                    status.name(),
                    status.path(),
                    status.replica(),
                    status.state());
        } catch (IllegalArgumentException | IllegalStateException e) { // scheme, setting or library of the replica
            throw new LitestreamSettingException(
                    "The replica of the database " + config.path() + " cannot be used: " + e.getMessage() + ".",
                    "Correct the replica's URL or its settings under litestream.replica.*");
        }
    }

    private void restore(DatabaseConfig config) throws IOException {
        try {
            RestoreOptions options = RestoreOptions.builder()
                    .parallelism(properties.restore().parallelism())
                    .integrityCheck(properties.restore().integrityCheck())
                    .build();
            litestream.restoreIfMissing(config, options);
        } catch (LitestreamException e) { // names the database itself
            throw e;
        } catch (IOException e) {
            throw new StartupRestoreException(config.path(), e);
        }
    }

    /** SQLite JDBC creates a database, but not its folder. */
    private static void createFolder(Path path) throws IOException {
        Path folder = path.getParent();
        if (folder != null) {
            Files.createDirectories(folder);
        }
    }

    /** The replicated database that a JDBC URL opens. */
    Optional<ManagedDatabase> forUrl(String url) {
        Optional<Path> path;
        try {
            path = SqliteUrl.path(url);
        } catch (LitestreamSettingException e) {
            return Optional.empty(); // not the application's, or the start had failed: in-memory databases are welcome
        }
        return path.flatMap(file -> litestream.databases().stream()
                .filter(database -> DatabaseFiles.same(database.config().path(), file))
                .findFirst());
    }
}
