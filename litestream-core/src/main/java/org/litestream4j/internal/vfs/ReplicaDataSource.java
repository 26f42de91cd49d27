package org.litestream4j.internal.vfs;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicLong;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * Read-only connections to a replica. Exceptions say what happened to the replica, which SQLite cannot. Thread-safe.
 */
public final class ReplicaDataSource extends ReadReplicaDataSource {

    private static final AtomicLong OPENED = new AtomicLong();

    private final ReplicaVfs vfs;
    private final String name;
    private final ReplicaDatabase database;

    /** @param name name of the replica, for messages */
    public ReplicaDataSource(ReplicaVfs vfs, String name, ReplicaDatabase database) {
        this.vfs = vfs;
        this.name = name;
        this.database = database;
    }

    @Override
    public Connection getConnection() throws SQLException {
        return GuardedCalls.open(!vfs.isChecked(), this::open);
    }

    /** The name by which SQLite opens the database lasts no longer than the call: it is for this connection alone. */
    private Connection open() throws SQLException {
        String temporary = name + "@" + OPENED.incrementAndGet();
        SQLiteConfig config = new SQLiteConfig();
        config.setReadOnly(true);
        config.setBusyTimeout(0); // the pages are waited for below SQLite; it would only repeat that
        SQLiteDataSource driver = new SQLiteDataSource(config);
        driver.setUrl("jdbc:sqlite:file:" + temporary + "?vfs=" + vfs.name());
        vfs.add(temporary, database);
        try {
            return driver.getConnection();
        } finally {
            vfs.remove(temporary, database);
        }
    }

    @Override
    public String toString() {
        return "ReplicaDataSource[" + name + "]";
    }
}
