package org.litestream4j.spring;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.Durability;
import org.litestream4j.Litestream;
import org.litestream4j.LitestreamException;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.spring.LitestreamProperties.OnStartup;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.InitializingBean;

/**
 * Restores missing databases, then starts to replicate the configured ones. Every {@code DataSource} and every database
 * initializer depends on this bean, which depends on {@link Litestream}. Therefore, the restore precedes the first
 * connection, and {@link Litestream#close()}, with the final flush, follows the last. If only a {@code DataSource}
 * contains the path of its database, the database is restored after the bean was created and before it opens its first
 * connection.
 */
final class ReplicatedDatabases implements InitializingBean, DisposableBean {

    private static final Logger LOG = LoggerFactory.getLogger(ReplicatedDatabases.class);

    private final Litestream litestream;
    private final LitestreamProperties properties;
    private final DatabaseConfigs configs;
    private final TrainingRun training;
    private final MisplacedReplica misplaced = new MisplacedReplica();
    private List<DatabaseFolder> folders = List.of();
    private @Nullable FolderWatch watch;

    /** Databases that a training run leaves alone; empty otherwise. */
    private List<DatabaseConfig> untouched = List.of();

    /** @throws LitestreamSettingException if entries of {@code litestream.databases} refer to nothing, or to the same database */
    ReplicatedDatabases(
            Litestream litestream,
            LitestreamProperties properties,
            ApplicationDatabase application,
            LitestreamConnectionDetails details,
            DataSourceBeans dataSources,
            TrainingRun training) {
        this.litestream = litestream;
        this.properties = properties;
        this.configs = new DatabaseConfigs(properties, application, details, dataSources);
        this.training = training;
    }

    @Override
    public void afterPropertiesSet() throws IOException {
        if (training.isActive()) {
            untouched = configs.create();
            LOG.info("training run: databases are neither opened, restored nor replicated");
            return;
        }
        for (DatabaseConfig config : configs.create()) {
            begin(config);
        }
        if (configs.isReplicaOfOtherSystem()) {
            misplaced.wanted("spring.datasource.url");
        }
        folders = configs.folders();
        if (!folders.isEmpty()) {
            watch = new FolderWatch(litestream, folders, this::register);
            watch.start();
        }
    }

    @Override
    public void destroy() {
        if (watch != null) {
            watch.close();
        }
    }

    private synchronized String register(DatabaseFolder folder, Path file) throws IOException {
        Optional<ManagedDatabase> known = registered(file);
        return known.isPresent() || configs.isLeftAlone(file)
                ? known.map(ManagedDatabase::name).orElse("")
                : begin(configs.inFolder(folder, file)).name();
    }

    private synchronized ManagedDatabase begin(DatabaseConfig config) throws IOException {
        checkFolders(config);
        try {
            if (properties.restore().onStartup() == OnStartup.IF_MISSING) {
                restore(config);
            }
            createFolder(config.path());
            ManagedDatabase database = register(config);
            DatabaseStatus status = database.status();
            LOG.info(
                    "database registered: db={} path={} replica={} state={}",
                    status.name(),
                    status.path(),
                    status.replica(),
                    status.state());
            return database;
        } catch (IllegalArgumentException | IllegalStateException e) { // scheme, setting or library of the replica
            throw new LitestreamSettingException(
                    "The replica of the database " + config.path() + " cannot be used: " + e.getMessage() + ".",
                    e.getCause() instanceof LinkageError || e.getCause() instanceof ClassNotFoundException
                            ? "Add the library to the application's dependencies."
                            : "Correct the replica's URL or its settings under litestream.replica.*");
        }
    }

    private ManagedDatabase register(DatabaseConfig config) throws IOException {
        try {
            return litestream.register(config);
        } catch (LitestreamException | ReplicaException e) { // contain their own explanation
            throw e;
        } catch (IOException e) {
            throw new LitestreamException(
                    config.path().toString(),
                    "it does not exist, and its replica cannot be checked for a backup: " + reason(e),
                    "make the replica reachable and start again",
                    e);
        }
    }

    private static String reason(IOException e) {
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }

    private void restore(DatabaseConfig config) throws IOException {
        try {
            RestoreOptions options = RestoreOptions.builder()
                    .parallelism(properties.restore().parallelism())
                    .integrityCheck(properties.restore().integrityCheck())
                    .build();
            litestream.restoreIfMissing(config, options);
        } catch (LitestreamException e) { // contains the database
            throw e;
        } catch (IOException e) {
            throw new StartupRestoreException(config.path(), e);
        }
    }

    /** Creates the folder of a database; SQLite JDBC creates only the file. */
    private static void createFolder(Path path) throws IOException {
        Path folder = path.getParent();
        if (folder != null) {
            try {
                Files.createDirectories(folder);
            } catch (IOException e) {
                throw new LitestreamException(
                        path.toString(),
                        "its folder cannot be created: " + e,
                        "make that folder writable for this process, or put the database elsewhere",
                        e);
            }
        }
    }

    /** Checks the folders without creating them; they are created when they are needed. */
    private static void checkFolders(DatabaseConfig config) throws LitestreamException {
        Path folder = config.path().getParent();
        Path there = existing(folder);
        if (there != null && !Files.isDirectory(there)) {
            throw new LitestreamException(
                    config.path().toString(),
                    "its folder cannot be created: " + there + " is a file",
                    "remove that file, or put the database elsewhere",
                    null);
        }
        there = existing(config.metaPath());
        if (there != null && !(Files.isDirectory(there) && Files.isWritable(there))) {
            throw new LitestreamException(
                    config.path().toString(),
                    "cannot use the folder of its local state, " + config.metaPath() + ": " + there
                            + " is not a folder that this process may write to",
                    "make it writable, or put the local state elsewhere with litestream.meta-path (or"
                            + " litestream.databases.<name>.meta-path)",
                    null);
        }
    }

    /** Returns the folder or its nearest existing parent. */
    private static @Nullable Path existing(@Nullable Path folder) {
        Path there = folder;
        while (there != null && !Files.exists(there)) {
            there = there.getParent();
        }
        return there;
    }

    /** Returns what a {@code DataSource} opens in a training run; empty if its database is not replicated. */
    Optional<DataSource> inTraining(String bean, DataSource dataSource) {
        return DataSourceUrls.url(dataSource)
                .flatMap(ReplicatedDatabases::path)
                .filter(path -> !configs.isLeftAlone(path))
                .filter(path -> configs.isOfBean(bean)
                        || untouched.stream().anyMatch(config -> DatabaseFiles.same(config.path(), path))
                        || configs.folders().stream().anyMatch(folder -> folder.matches(path)))
                .map(TrainingRun::inMemory);
    }

    /**
     * Returns the replicated database that a {@code DataSource} opens. Restores and registers it now if its path was
     * not known before.
     *
     * @return empty if it is not replicated: not SQLite, in memory, disabled, or not configured
     * @throws LitestreamSettingException if the settings of the bean's database cannot be applied
     */
    synchronized Optional<ManagedDatabase> of(String bean, DataSource dataSource) {
        Optional<String> url = DataSourceUrls.url(dataSource);
        Optional<Path> path = url.flatMap(configs.isWanted(bean) ? SqliteUrl::location : ReplicatedDatabases::path);
        url.filter(SqliteUrl::isSqlite).ifPresent(sqlite -> refuseAnotherFile(bean, path));
        if (path.isEmpty()) {
            return Optional.empty();
        }
        Optional<ManagedDatabase> database = registered(path.get());
        if (database.isPresent()) {
            DataSourceModes.requireFit(bean, dataSource);
        } else if (!configs.isLeftAlone(path.get())) {
            database = config(bean, path.get()).map(config -> beginLate(bean, dataSource, config));
        }
        checkName(bean, path.get(), database);
        return database;
    }

    /**
     * Rejects a {@code DataSource} that opens another file than the one that was restored and is replicated; the
     * application would start with an empty database beside its backup.
     */
    private void refuseAnotherFile(String bean, Optional<Path> opened) {
        Optional<Path> expected = configs.expected(bean);
        boolean replicated = opened.filter(
                        path -> configs.isLeftAlone(path) || registered(path).isPresent())
                .isPresent();
        if (expected.isPresent() && !replicated) {
            throw new LitestreamSettingException(
                    "The DataSource \"" + bean + "\" opens "
                            + opened.map(Path::toString).orElse("a database in memory or a temporary one")
                            + ", but the database that is replicated is " + expected.get()
                            + ": the settings of the URL contradict each other.",
                    "Give spring.datasource.url (and the pool's own setting of the URL, if there is one) the file that the"
                            + " application opens, or set litestream.databases.<name>.path.");
        }
    }

    private Optional<DatabaseConfig> config(String bean, Path path) {
        if (configs.isOfBean(bean)) {
            return configs.ofBean(bean, path);
        }
        return folders.stream()
                .filter(folder -> folder.matches(path))
                .findFirst()
                .map(folder -> configs.inFolder(folder, path));
    }

    private ManagedDatabase beginLate(String bean, DataSource dataSource, DatabaseConfig config) {
        List<DatabaseConfig> all = new ArrayList<>(
                litestream.databases().stream().map(ManagedDatabase::config).toList());
        all.add(config);
        DatabaseConfigs.checkDistinct(all);
        DataSourceModes.requireFit(bean, dataSource);
        try {
            if (properties.restore().onStartup() == OnStartup.IF_MISSING && mayBeOpen(dataSource, config.path())) {
                throw new LitestreamSettingException(
                        "The DataSource \"" + bean + "\" may have opened " + config.path()
                                + " already, so it is too late to restore that file.",
                        "Set " + DatabaseEntries.setting(config.name())
                                + ".path; the file is then restored before any DataSource is created.");
            }
            return begin(config);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean mayBeOpen(DataSource dataSource, Path path) throws IOException {
        return DataSourceUrls.isHikari(dataSource)
                ? DataSourceUrls.isStarted(dataSource)
                : Files.exists(path) && Files.size(path) == 0;
    }

    private void checkName(String bean, Path path, Optional<ManagedDatabase> database) {
        Optional<String> name = configs.nameOf(bean);
        if (name.isPresent() && !name.equals(database.map(ManagedDatabase::name)) && !configs.isLeftAlone(path)) {
            String of = database.map(other -> ", which is the database \"" + other.name() + "\"")
                    .orElse("");
            throw new LitestreamSettingException(
                    DatabaseEntries.setting(name.get()) + " is for the DataSource \"" + bean
                            + "\", but that DataSource opens " + path + of + ".",
                    "Set " + DatabaseEntries.setting(name.get()) + ".path to " + path + ", or remove the entry.");
        }
    }

    /**
     * Reports a bean whose database is not replicated, unless no report is needed.
     *
     * @throws LitestreamSettingException if it should be replicated, but does not provide the file it opens
     */
    void tellUnreplicated(String bean, DataSource dataSource) {
        Optional<String> url = DataSourceUrls.url(dataSource);
        boolean wanted = configs.beans().contains(bean);
        if (url.isEmpty()) {
            if (wanted) {
                throw new LitestreamSettingException(
                        "The DataSource \"" + bean + "\" ("
                                + dataSource.getClass().getName()
                                + ") is to be replicated, but its database file cannot be determined.",
                        "Set litestream.databases.<name>.path, and litestream.databases.<name>.replica.url.");
            }
            if (!configs.isSwitchedOff(bean)) {
                tellUnseen(bean, dataSource);
            }
        } else if (!SqliteUrl.isSqlite(url.get())) {
            if (wanted) {
                LOG.warn("DataSource is not replicated: bean={}, not a SQLite database", bean);
                misplaced.wanted("the DataSource \"" + bean + "\"");
            }
        } else {
            tellUnreplicated(bean, url.get());
        }
    }

    private void tellUnreplicated(String bean, String url) {
        Optional<Path> path;
        try {
            path = SqliteUrl.location(url);
        } catch (LitestreamSettingException e) {
            LOG.warn("DataSource is not replicated: bean={}. {}", bean, e.getMessage());
            return;
        }
        path.ifPresentOrElse(
                file -> tellUnreplicated(bean, file),
                () -> LOG.info("DataSource is not replicated: bean={}, an in-memory or temporary database", bean));
    }

    /** Warns of a bean that may open a replicated database with commits that are not noticed and do not wait. */
    private void tellUnseen(String bean, DataSource dataSource) {
        String type = dataSource.getClass().getName();
        boolean promised = litestream.databases().stream()
                .anyMatch(database -> database.config().durability() == Durability.REPLICATED);
        if (promised) {
            throw new LitestreamSettingException(
                    "The DataSource \"" + bean + "\" (" + type
                            + ") opens a database that cannot be determined, so its commits would not wait for"
                            + " the replica as durability=replicated requires.",
                    "Make the pool behind it a bean, or make it unwrap to the pool. If it opens no replicated"
                            + " database, set "
                            + DatabaseEntries.setting(bean) + ".enabled=false.");
        }
        if (!litestream.databases().isEmpty()) {
            LOG.warn(
                    "DataSource cannot be inspected: bean={} type={}. If it opens a replicated database, its"
                            + " commits are noticed late;"
                            + " make the pool behind it a bean, or make it unwrap to the pool. If not, set"
                            + " {}.enabled=false",
                    bean,
                    type,
                    DatabaseEntries.setting(bean));
        }
    }

    private void tellUnreplicated(String bean, Path path) {
        if (!configs.isLeftAlone(path)) {
            LOG.warn(
                    "DataSource is not replicated: path={} bean={}; set litestream.databases.{}.replica.url, or"
                            + " litestream.databases.{}.enabled=false",
                    path,
                    bean,
                    bean,
                    bean);
            misplaced.notReplicated(bean, path);
        }
    }

    /** Returns the beans whose databases are restored and registered after the bean was created. */
    List<String> beans() {
        return configs.beans();
    }

    /** Returns the file of the database that a JDBC URL opens; empty if it is not a file of SQLite. */
    static Optional<Path> path(String url) {
        try {
            return SqliteUrl.location(url);
        } catch (LitestreamSettingException e) {
            return Optional.empty(); // not the application's; otherwise startup had failed
        }
    }

    /**
     * Checks the file of a bean that has been created.
     *
     * @throws LitestreamSettingException if it opens another file than the one that is replicated
     */
    synchronized void check(String bean, DataSource dataSource) {
        DataSourceUrls.url(dataSource).filter(SqliteUrl::isSqlite).ifPresent(url -> refuseAnotherFile(bean, path(url)));
    }

    /** Returns the replicated database that a JDBC URL opens. */
    Optional<ManagedDatabase> forUrl(String url) {
        return path(url).flatMap(this::registered);
    }

    private Optional<ManagedDatabase> registered(Path file) {
        return litestream.databases().stream()
                .filter(database -> DatabaseFiles.same(database.config().path(), file))
                .findFirst();
    }
}
