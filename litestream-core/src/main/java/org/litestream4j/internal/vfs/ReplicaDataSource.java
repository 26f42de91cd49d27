package org.litestream4j.internal.vfs;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * Read-only connections to a replica. Exceptions say what happened to the replica, which SQLite cannot. Thread-safe.
 */
public final class ReplicaDataSource implements DataSource {

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

    /** Returns a connection; a replica has no users. */
    @Override
    public Connection getConnection(String username, String password) throws SQLException {
        return getConnection();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        if (type.isInstance(this)) {
            return type.cast(this);
        }
        throw new SQLException("not a wrapper for " + type.getName());
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return type.isInstance(this);
    }

    @Override
    public @Nullable PrintWriter getLogWriter() {
        return null;
    }

    @Override
    public void setLogWriter(PrintWriter out) throws SQLException {
        throw new SQLFeatureNotSupportedException("a read replica writes no log of this kind");
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        throw new SQLFeatureNotSupportedException("a read replica has no login");
    }

    @Override
    public int getLoginTimeout() {
        return 0;
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        throw new SQLFeatureNotSupportedException("a read replica does not use java.util.logging");
    }

    @Override
    public String toString() {
        return "ReplicaDataSource[" + name + "]";
    }
}
