package org.litestream4j.spring;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.replica.Redaction;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.spring.LitestreamProperties.Database;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The replicated databases and their configurations. Contradictory settings fail startup. */
final class DatabaseConfigs {

    private static final Logger LOG = LoggerFactory.getLogger(DatabaseConfigs.class);
    private final LitestreamProperties properties;
    private final ApplicationDatabase application;
    private final LitestreamConnectionDetails details;
    private final DatabaseSettings settings;
    private final DataSourceBeans dataSources;
    private final DatabaseEntries entries;
    private final List<Path> leftAlone = new ArrayList<>();
    private boolean applicationIsBean;
    private boolean replicaOfOtherSystem;
    private @Nullable Path applicationPath;

    /** Uses only the settings. */
    DatabaseConfigs(LitestreamProperties properties, ApplicationDatabase application, DataSourceBeans dataSources) {
        this(properties, application, new PropertiesLitestreamConnectionDetails(properties.replica()), dataSources);
    }

    /** @throws LitestreamSettingException if a setting is invalid; names the setting, the problem and the remedy */
    DatabaseConfigs(
            LitestreamProperties properties,
            ApplicationDatabase application,
            LitestreamConnectionDetails details,
            DataSourceBeans dataSources) {
        this.properties = properties;
        this.application = application;
        this.details = details;
        this.settings = new DatabaseSettings(properties, details);
        this.dataSources = dataSources;
        this.entries = new DatabaseEntries(properties.databases(), dataSources);
    }

    /**
     * Returns the databases whose files are known before any {@code DataSource} exists.
     *
     * @throws LitestreamSettingException if a setting is invalid; names the setting, the problem and the remedy
     */
    List<DatabaseConfig> create() {
        settings.check();
        List<DatabaseConfig> configs = new ArrayList<>();
        for (String key : entries.files()) {
            Database entry = entries.get(key);
            Path path = DatabaseSettings.path(key, requireNonNull(entry.path()));
            if (entry.enabled()) {
                configs.add(create(key, path, entry, false));
            } else {
                leftAlone.add(path);
            }
        }
        applicationDatabase(configs).ifPresent(configs::add);
        configs.sort(Comparator.comparing(DatabaseConfig::name));
        checkDistinct(configs);
        return configs;
    }

    private Optional<DatabaseConfig> applicationDatabase(List<DatabaseConfig> named) {
        boolean wanted = isSet(properties.replica().url())
                || isSet(details.getUrl())
                || entries.application().isPresent();
        if (dataSources.replaced()) {
            LOG.info("The application's database is left alone: the test has another in its place");
            return Optional.empty();
        }
        Optional<String> url = application.url();
        if (url.isEmpty()) {
            applicationIsBean = wanted && dataSources.main() != null;
            if (wanted && !applicationIsBean) {
                throw new LitestreamSettingException(
                        "A replica is configured, but no database: spring.datasource.url is not set.",
                        "Set spring.datasource.url, or litestream.databases.<name>.path if the DataSource is configured in"
                                + " another way.");
            }
            if (!wanted && properties.databases().isEmpty()) {
                LOG.warn("No database is replicated: neither spring.datasource.url nor litestream.databases is set");
            }
            return Optional.empty();
        }
        if (!wanted && !SqliteUrl.isSqlite(url.get())) {
            return Optional.empty();
        }
        Optional<Path> path = SqliteUrl.path(url.get());
        if (path.isEmpty()) {
            if (wanted && SqliteUrl.isNameless(url.get())) { // probably a variable without a value
                throw new LitestreamSettingException(
                        "A replica is configured, but the database URL \"" + Redaction.url(url.get())
                                + "\" names no file: SQLite makes a temporary database of it, which is lost at the end.",
                        SqliteUrl.USE_A_FILE);
            }
            if (wanted) {
                replicaOfOtherSystem = !SqliteUrl.isSqlite(url.get());
                LOG.warn(
                        "The application's database is not replicated: spring.datasource.url {}",
                        SqliteUrl.isSqlite(url.get()) ? "names an in-memory or temporary database" : "is not SQLite's");
            }
            return Optional.empty();
        }
        if (isNamed(path.get(), named)) {
            applicationPath = path.get();
            return Optional.empty();
        }
        Database entry = entries.application().map(entries::get).orElse(DatabaseSettings.NO_OVERRIDES);
        if (!entry.enabled()) {
            leftAlone.add(path.get());
            return Optional.empty();
        }
        applicationPath = path.get();
        return Optional.of(create(entries.application().orElse(fileName(path.get())), path.get(), entry, true));
    }

    /** Returns the file that a bean must open according to the settings of the application's database. */
    Optional<Path> expected(String bean) {
        return bean.equals(dataSources.main())
                ? Optional.ofNullable(applicationPath).filter(path -> !isLeftAlone(path))
                : Optional.empty();
    }

    /** Returns whether a replica is configured for an application's database that is not SQLite's. */
    boolean isReplicaOfOtherSystem() {
        return replicaOfOtherSystem;
    }

    /** Returns whether the settings require that the database of a bean is replicated. */
    boolean isWanted(String bean) {
        return beans().contains(bean) || expected(bean).isPresent();
    }

    /** Returns whether an entry of {@code litestream.databases} disables the replication of a bean. */
    boolean isSwitchedOff(String bean) {
        return entries.ofBean(bean)
                .map(entries::get)
                .filter(entry -> !entry.enabled())
                .isPresent();
    }

    private boolean isNamed(Path path, List<DatabaseConfig> named) {
        return isLeftAlone(path) || named.stream().anyMatch(config -> DatabaseFiles.same(config.path(), path));
    }

    private static String fileName(Path path) {
        return path.getFileName().toString();
    }

    /** Returns whether the replication of this database is disabled. */
    boolean isLeftAlone(Path path) {
        return leftAlone.stream().anyMatch(other -> DatabaseFiles.same(other, path));
    }

    /** Returns whether the database of a {@code DataSource} is known only after the bean was created. */
    boolean isOfBean(String bean) {
        if (bean.equals(dataSources.main())
                && (applicationIsBean || application.url().isPresent())) {
            return applicationIsBean;
        }
        return entries.ofBean(bean).isPresent();
    }

    /** Returns the beans of {@link #isOfBean} whose replication is not disabled. */
    List<String> beans() {
        return dataSources.names().stream()
                .filter(this::isOfBean)
                .filter(bean -> entries.ofBean(bean)
                        .map(entries::get)
                        .orElse(DatabaseSettings.NO_OVERRIDES)
                        .enabled())
                .toList();
    }

    /**
     * Returns the database of such a bean.
     *
     * @param path path that its connections open
     * @return empty if its replication is disabled
     * @throws LitestreamSettingException if a setting is invalid; names the setting, the problem and the remedy
     */
    Optional<DatabaseConfig> ofBean(String bean, Path path) {
        boolean main = applicationIsBean && bean.equals(dataSources.main());
        Optional<String> key = main ? entries.application() : entries.ofBean(bean);
        Database entry = key.map(entries::get).orElse(DatabaseSettings.NO_OVERRIDES);
        if (!entry.enabled()) {
            leftAlone.add(path);
            return Optional.empty();
        }
        return Optional.of(create(key.orElse(fileName(path)), path, entry, main));
    }

    /** Returns the name of a bean's database according to the settings; empty if they do not mention the bean. */
    Optional<String> nameOf(String bean) {
        return entries.ofBean(bean)
                .or(() -> entries.files().stream()
                        .filter(key ->
                                dataSources.find(key).filter(bean::equals).isPresent())
                        .findFirst())
                .filter(key -> entries.get(key).enabled());
    }

    private DatabaseConfig create(String name, Path path, Database own, boolean ofApplication) {
        String metaPath = own.metaPath() != null || !ofApplication ? own.metaPath() : properties.metaPath();
        return create(name, name, path, own, settings.replica(name, path, own, ofApplication), metaPath);
    }

    /** Returns the folders whose files are databases. */
    List<DatabaseFolder> folders() {
        return entries.folders().stream()
                .filter(key -> entries.get(key).enabled())
                .map(key -> folder(key, entries.get(key)))
                .toList();
    }

    private DatabaseFolder folder(String key, Database entry) {
        Path path = DatabaseSettings.path(key, requireNonNull(entry.path()));
        if (Files.isRegularFile(path)) {
            throw new LitestreamSettingException(
                    DatabaseEntries.setting(key) + ".path = " + path + " is a file, but .pattern wants a folder.",
                    "Name the folder, or leave the pattern out.");
        }
        String pattern = requireNonNull(entry.pattern());
        if (pattern.isBlank() || pattern.matches(".*[\\[\\]{}].*")) { // brackets would match nothing, or too much
            throw new LitestreamSettingException(
                    DatabaseEntries.setting(key) + ".pattern = \"" + pattern + "\" is no pattern.",
                    "Write * for any characters, ? for one, **/ for all folders below, as in **/*.db; there are no others.");
        }
        // Invalid settings fail startup even if the folder is empty.
        settings.config(key, key, path, entry, settings.replica(key, path, entry, false), entry.metaPath());
        return new DatabaseFolder(key, path, pattern);
    }

    /** Returns the database of a file in a folder. Its name contains both, and its replica is below the folder's replica. */
    DatabaseConfig inFolder(DatabaseFolder folder, Path file) {
        Database entry = entries.get(folder.name());
        String below = folder.relative(file);
        String name = folder.name() + ":" + below.replace('/', ':');
        ReplicaLocation replica =
                ReplicaLocations.below(settings.replica(folder.name(), folder.path(), entry, false), below);
        String metaPath = entry.metaPath() == null ? null : entry.metaPath() + "/" + below;
        return create(folder.name(), name, file, entry, replica, metaPath);
    }

    private DatabaseConfig create(
            String key, String name, Path path, Database own, ReplicaLocation replica, @Nullable String metaPath) {
        if (Files.isDirectory(path)) {
            throw new LitestreamSettingException(
                    "The database \"" + name + "\" (" + path + ") is a folder, not a file.",
                    "Name a file in it, or for all databases of the folder set litestream.databases.<name>.pattern.");
        }
        return settings.config(key, name, path, own, replica, metaPath);
    }

    /** @throws LitestreamSettingException if two databases have the same file or the same replica */
    static void checkDistinct(List<DatabaseConfig> configs) {
        checkDistinct(configs, (one, other) -> DatabaseFiles.same(one.path(), other.path()), "the file");
        checkDistinct(configs, (one, other) -> address(one).equals(address(other)), "the replica");
    }

    private static void checkDistinct(
            List<DatabaseConfig> configs, BiPredicate<DatabaseConfig, DatabaseConfig> equal, String what) {
        for (int i = 0; i < configs.size(); i++) {
            for (DatabaseConfig other : configs.subList(i + 1, configs.size())) {
                if (equal.test(configs.get(i), other)) {
                    throw new LitestreamSettingException(
                            "The databases \"" + configs.get(i).name() + "\" and \"" + other.name() + "\" have " + what
                                    + " in common.",
                            "Give each database a file and a replica of its own; see litestream.databases.*");
                }
            }
        }
    }

    /** Returns the address of the replica as the backend interprets URL and settings. */
    private static String address(DatabaseConfig config) {
        try (ReplicaClient client = Replicas.open(config.replica())) {
            return client.url();
        } catch (IllegalArgumentException | IllegalStateException | IOException e) {
            return config.name(); // reported when the database is registered
        }
    }

    private static boolean isSet(@Nullable String url) {
        return url != null && !url.isBlank();
    }
}
