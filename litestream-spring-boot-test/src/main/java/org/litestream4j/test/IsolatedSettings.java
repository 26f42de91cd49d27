package org.litestream4j.test;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.litestream4j.spring.TrainingRun;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.ConfigurableEnvironment;

/**
 * Settings that put all replicas, local states and database files of an application into the folders of a test. Equal
 * files of the application's settings stay equal.
 */
final class IsolatedSettings {

    private static final String SQLITE = "jdbc:sqlite:";
    private static final ConfigurationPropertyName URL = ConfigurationPropertyName.of("spring.datasource.url");
    private static final ConfigurationPropertyName REPLICA = ConfigurationPropertyName.of("litestream.replica.url");
    private static final ConfigurationPropertyName DATABASES = ConfigurationPropertyName.of("litestream.databases");
    private static final ConfigurationPropertyName READ_REPLICAS =
            ConfigurationPropertyName.of("litestream.read-replicas");

    /** Settings of pools with their own URL, which override {@code spring.datasource.url}. */
    private static final List<String> POOL_URLS = List.of(
            "spring.datasource.hikari.jdbc-url",
            "spring.datasource.hikari.data-source-properties.url",
            "spring.datasource.tomcat.url",
            "spring.datasource.dbcp2.url");

    private final TestFolders folders;
    private final Map<ConfigurationPropertyName, String> present;
    private final Map<String, Object> settings = new HashMap<>();

    /** Files and folders of the application, and those that take their places. */
    private final Map<Path, Path> moved = new LinkedHashMap<>();

    private IsolatedSettings(TestFolders folders, Map<ConfigurationPropertyName, String> present) {
        this.folders = folders;
        this.present = present;
    }

    /**
     * Returns the settings, which are to override all others.
     *
     * @param database whether the application's database is put into the folder
     */
    static Map<String, Object> of(ConfigurableEnvironment environment, TestFolders folders, boolean database)
            throws IOException {
        IsolatedSettings isolated = new IsolatedSettings(folders, present(environment));
        isolated.application(database);
        isolated.entries(DATABASES).forEach(entry -> isolated.database(entry, database));
        for (ConfigurationPropertyName entry : isolated.entries(READ_REPLICAS)) {
            isolated.readReplica(entry);
        }
        isolated.urls();
        return isolated.settings;
    }

    private static Map<ConfigurationPropertyName, String> present(ConfigurableEnvironment environment) {
        Map<ConfigurationPropertyName, String> present = new LinkedHashMap<>();
        for (ConfigurationPropertySource source : ConfigurationPropertySources.from(environment.getPropertySources())) {
            if (source instanceof IterableConfigurationPropertySource iterable) {
                for (ConfigurationPropertyName name : iterable) {
                    ConfigurationProperty property = source.getConfigurationProperty(name);
                    if (property != null) {
                        String value = String.valueOf(property.getValue());
                        present.putIfAbsent(name, environment.resolvePlaceholders(value));
                    }
                }
            }
        }
        return present;
    }

    /** Returns the names of the entries of a map of settings, in the notation of the application. */
    private Set<ConfigurationPropertyName> entries(ConfigurationPropertyName map) {
        Set<ConfigurationPropertyName> entries = new LinkedHashSet<>();
        int size = map.getNumberOfElements() + 1;
        for (ConfigurationPropertyName name : present.keySet()) {
            if (map.isAncestorOf(name) && name.getNumberOfElements() > size) {
                entries.add(name.chop(size));
            }
        }
        return entries;
    }

    private void application(boolean database) {
        String replica = url(folders.replica().resolve("application"));
        settings.put("litestream.enabled", "true");
        settings.put(name(REPLICA), replica);
        settings.put(
                "litestream.meta-path", folders.state().resolve("application").toString());
        if (database) {
            Path file = folders.disk().resolve("app.db");
            settings.put(name(URL), SQLITE + file);
            settings.put("spring.test.database.replace", "none");
            for (String pool : POOL_URLS) {
                if (present.containsKey(ConfigurationPropertyName.of(pool))) {
                    settings.put(pool, SQLITE + file);
                }
            }
            Path former = file(present.get(URL));
            if (former != null) {
                moved.put(former, file);
            }
        }
    }

    private void database(ConfigurationPropertyName entry, boolean database) {
        String folder = folderName(entry);
        settings.put(
                name(entry.append("meta-path")),
                folders.state().resolve("databases").resolve(folder).toString());
        ConfigurationPropertyName replica = entry.append("replica.url");
        if (present.containsKey(replica)) {
            settings.put(
                    name(replica), url(folders.replica().resolve("databases").resolve(folder)));
        }
        ConfigurationPropertyName path = entry.append("path");
        Path file = path(present.get(path));
        if (file != null && (database || !file.equals(file(present.get(URL))))) {
            boolean isFolder = present.containsKey(entry.append("pattern"));
            Path target = folders.databases().resolve(isFolder ? folder : folder + ".db");
            Path known = moved.putIfAbsent(file, target);
            settings.put(name(path), (known == null ? target : known).toString());
        }
    }

    /** Of an empty database, because a replica that is empty itself would fail the start. */
    private void readReplica(ConfigurationPropertyName entry) throws IOException {
        String folder = folderName(entry);
        Path replica = folders.replica().resolve("read-replicas").resolve(folder);
        settings.put(
                name(entry.append("url")), TrainingRun.emptyReplica(replica).url());
        ConfigurationPropertyName copy = entry.append("hydration.path");
        if (present.containsKey(copy)) {
            settings.put(
                    name(copy),
                    folders.state().resolve("read-replicas").resolve(folder).toString());
        }
    }

    /** Changes all JDBC URLs of files that have moved, such as those of other {@code DataSource} beans. */
    private void urls() {
        present.forEach((name, value) -> {
            Path former = file(value);
            Path now = former == null ? null : now(former);
            if (now != null) {
                String rest = value.strip().substring(SQLITE.length());
                int query = rest.indexOf('?');
                settings.putIfAbsent(
                        name(name),
                        SQLITE
                                + (rest.startsWith("file:") ? "file:" : "")
                                + now
                                + (query < 0 ? "" : rest.substring(query)));
            }
        });
    }

    private @Nullable Path now(Path former) {
        Path exact = moved.get(former);
        if (exact != null) {
            return exact;
        }
        for (Map.Entry<Path, Path> folder : moved.entrySet()) {
            if (former.startsWith(folder.getKey())) {
                return folder.getValue().resolve(folder.getKey().relativize(former));
            }
        }
        return null;
    }

    private static String url(Path folder) {
        return TestFolders.url(folder);
    }

    /** Returns a setting as the application writes it: {@code toString} changes the keys of maps. */
    private static String name(ConfigurationPropertyName setting) {
        StringBuilder name = new StringBuilder();
        for (int i = 0; i < setting.getNumberOfElements(); i++) {
            String element = setting.getElement(i, Form.ORIGINAL);
            if (setting.chop(i + 1).isLastElementIndexed()) {
                name.append('[').append(element).append(']');
            } else {
                name.append(i == 0 ? "" : ".").append(element);
            }
        }
        return name.toString();
    }

    /** Returns a name that differs from those of all other entries. */
    private static String folderName(ConfigurationPropertyName entry) {
        String key = entry.getElement(entry.getNumberOfElements() - 1, Form.ORIGINAL);
        return key.matches("[A-Za-z0-9_-]+")
                ? key
                : key.replaceAll("[^A-Za-z0-9_-]", "_") + "." + Integer.toHexString(key.hashCode());
    }

    /** Returns the file of a JDBC URL; null if it is not one of SQLite with a file. */
    private static @Nullable Path file(@Nullable String url) {
        if (url == null || !url.strip().startsWith(SQLITE)) {
            return null;
        }
        String rest = url.strip().substring(SQLITE.length()).replaceFirst("\\?.*$", "");
        String file =
                rest.startsWith("file:") ? rest.substring("file:".length()).replaceFirst("^//", "") : rest;
        return file.isEmpty() || file.startsWith(":") ? null : path(file);
    }

    private static @Nullable Path path(@Nullable String path) {
        try {
            return path == null || path.isBlank()
                    ? null
                    : Path.of(path.strip()).toAbsolutePath().normalize();
        } catch (InvalidPathException e) {
            return null; // fails the start
        }
    }
}
