package org.litestream4j.spring;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.litestream4j.spring.LitestreamProperties.Database;

/**
 * The meaning of each entry of {@code litestream.databases}: a file, a folder of files, a {@code DataSource} bean, or
 * the application's database.
 */
final class DatabaseEntries {

    private final Map<String, Database> all;
    private final List<String> files = new ArrayList<>();
    private final List<String> folders = new ArrayList<>();
    private final Map<String, String> beans = new LinkedHashMap<>();
    private final @Nullable String application;

    /** @throws LitestreamSettingException if an entry refers to nothing, or if two entries refer to the same database */
    DatabaseEntries(Map<String, Database> all, DataSourceBeans dataSources) {
        this.all = new TreeMap<>(all);
        List<String> others = new ArrayList<>();
        this.all.forEach((key, entry) -> {
            if (entry.path() != null) {
                (entry.pattern() != null ? folders : files).add(key);
            } else if (entry.pattern() != null) {
                throw new LitestreamSettingException(
                        setting(key) + ".pattern is set, but .path is not.",
                        "Set " + setting(key) + ".path to the folder of the databases.");
            } else {
                dataSources.find(key).ifPresentOrElse(bean -> ofBean(bean, key), () -> others.add(key));
            }
        });
        this.application = application(others, dataSources);
    }

    private void ofBean(String bean, String key) {
        String other = beans.putIfAbsent(bean, key);
        if (other != null) {
            throw new LitestreamSettingException(
                    setting(other) + " and " + setting(key) + " both name the DataSource \"" + bean + "\".",
                    "Remove one of them.");
        }
    }

    private @Nullable String application(List<String> others, DataSourceBeans dataSources) {
        String ofMain = beans.get(dataSources.main());
        if (others.isEmpty()) {
            return ofMain;
        }
        if (dataSources.names().size() > 1) {
            throw new LitestreamSettingException(
                    setting(others.get(0))
                            + " has no path, and no DataSource has this name: there are "
                            + String.join(", ", dataSources.names()) + ".",
                    "Use the name of a DataSource bean, or set " + setting(others.get(0)) + ".path.");
        }
        if (ofMain != null) {
            others.add(ofMain);
            others.sort(null);
        }
        if (others.size() > 1) {
            throw new LitestreamSettingException(
                    others.stream().map(DatabaseEntries::setting).collect(Collectors.joining(" and "))
                            + " have no path: only one can be the application's database (spring.datasource.url).",
                    "Set litestream.databases.<name>.path for the others.");
        }
        return others.get(0);
    }

    /** Returns the notation of an entry; without the brackets, a dot would end its key. */
    static String setting(String key) {
        return "litestream.databases" + (key.matches("[A-Za-z0-9_-]+") ? "." + key : "[" + key + "]");
    }

    Database get(String key) {
        Database entry = all.get(key);
        if (entry == null) {
            throw new IllegalArgumentException(key);
        }
        return entry;
    }

    /** Returns the keys of the entries with a path. */
    List<String> files() {
        return files;
    }

    /** Returns the keys of the entries with a path and a pattern. */
    List<String> folders() {
        return folders;
    }

    /** Returns the key of the entry for a bean. */
    Optional<String> ofBean(String bean) {
        return Optional.ofNullable(beans.get(bean));
    }

    /** Returns the names of the beans that have an entry. */
    List<String> beans() {
        return List.copyOf(beans.keySet());
    }

    /** Returns the key of the entry for the application's database. */
    Optional<String> application() {
        return Optional.ofNullable(application);
    }
}
