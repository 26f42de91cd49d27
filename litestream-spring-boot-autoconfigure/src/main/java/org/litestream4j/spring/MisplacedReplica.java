package org.litestream4j.spring;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Rejects a replica that is configured for a database of another system while an SQLite database of the application is
 * not replicated: the settings look as if it were. The beans may be created in any order. Thread-safe.
 */
final class MisplacedReplica {

    private final Map<String, Path> unreplicated = new TreeMap<>();
    private @Nullable String other;

    /**
     * Records that the configured replica is that of a database of another system.
     *
     * @param other what names that database
     * @throws LitestreamSettingException if an SQLite database is known not to be replicated
     */
    synchronized void wanted(String other) {
        this.other = other;
        check();
    }

    /**
     * Records an SQLite database that is not replicated.
     *
     * @throws LitestreamSettingException if a replica is configured for a database of another system
     */
    synchronized void notReplicated(String bean, Path path) {
        unreplicated.put(bean, path);
        check();
    }

    private void check() {
        if (other != null && !unreplicated.isEmpty()) {
            Map.Entry<String, Path> first = unreplicated.entrySet().iterator().next();
            String setting = DatabaseEntries.setting(first.getKey());
            throw new LitestreamSettingException(
                    "The configured replica is for " + other + ", which is not SQLite's, and the SQLite database "
                            + first.getValue() + " of the DataSource \"" + first.getKey() + "\" is not replicated.",
                    "Move the replica's settings to " + setting + ".replica, or set " + setting
                            + ".enabled=false if it needs no replica.");
        }
    }
}
