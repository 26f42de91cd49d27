package org.litestream4j;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteCommitListener;
import org.sqlite.SQLiteConfig.TransactionMode;
import org.sqlite.SQLiteConnection;

/**
 * A connection of the application to the driver: tells when it commits and when it is closed, lets a commit wait for the
 * replica, and waits where a transaction would begin while the database is replaced, or write while the engine holds the write
 * lock. Used by one thread at a time.
 */
final class PhysicalConnection implements InvocationHandler, SQLiteCommitListener {

    private final Connection connection;
    private final SQLiteConnection sqlite;
    private final ManagedDatabase database;
    private final CommitPolicy policy;
    private final Connection proxy;

    /** Whether statements that are transactions of their own wait, too. */
    private final boolean watchesStatements;

    private boolean committed;

    /** Whether a transaction that should hold the write lock from its beginning was begun without. */
    private boolean relaxed;

    private State seen;

    PhysicalConnection(Connection connection, SQLiteConnection sqlite, ManagedDatabase database, CommitPolicy policy)
            throws SQLException {
        this.connection = connection;
        this.sqlite = sqlite;
        this.database = database;
        this.policy = policy;
        this.watchesStatements = database.config().durability() == Durability.REPLICATED;
        boolean deferred = sqlite.getConnectionConfig().getTransactionMode() == TransactionMode.DEFERRED;
        this.seen = deferred ? State.NONE : State.of(sqlite);
        this.proxy = proxy(Connection.class, this);
    }

    Connection proxy() {
        return proxy;
    }

    boolean isOf(Connection other) {
        return connection == other;
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(
                Proxy.newProxyInstance(PhysicalConnection.class.getClassLoader(), new Class<?>[] {type}, handler));
    }

    /** Runs on the committing thread, before the commit is visible; must neither throw nor touch files. */
    @Override
    public void onCommit() {
        committed = true;
        database.committing();
    }

    @Override
    public void onRollback() {
        committed = false;
    }

    @Override
    public @Nullable Object invoke(Object self, Method method, Object @Nullable [] arguments) throws Throwable {
        switch (method.getName()) {
            case "equals", "hashCode", "unwrap", "isWrapperFor":
                return identity(self, connection, method, arguments);
            case "setAutoCommit":
                awaitGate();
                beginOrEnd((Boolean) arguments[0]);
                return call(connection, method, arguments);
            case "createStatement", "prepareStatement", "prepareCall":
                awaitGate();
                restoreTransactionMode();
                awaitWriteLock(arguments);
                Object result = call(connection, method, arguments);
                return watchesStatements && result instanceof Statement
                        ? proxy(method.getReturnType(), new Watched(result, self))
                        : result;
            case "commit":
                commit();
                return null;
            case "rollback":
                call(connection, method, arguments);
                seen = seen.counted(sqlite);
                return null;
            case "close", "abort":
                try {
                    return call(connection, method, arguments);
                } finally {
                    if (connection.isClosed()) {
                        ended();
                    }
                }
            default:
                return call(connection, method, arguments);
        }
    }

    private static @Nullable Object identity(Object self, Object target, Method method, Object @Nullable [] arguments)
            throws Throwable {
        Object argument = arguments != null ? arguments[0] : null;
        switch (method.getName()) {
            case "equals":
                return self == argument;
            case "hashCode":
                return System.identityHashCode(self);
            default:
                if (argument instanceof Class<?> type && type.isInstance(self)) {
                    return method.getName().equals("unwrap") ? self : true;
                }
                return invokeOn(target, method, arguments);
        }
    }

    private static @Nullable Object invokeOn(Object target, Method method, Object @Nullable [] arguments)
            throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** A call in which a transaction may end. Who gets an exception knows that it is not sure what is committed. */
    private @Nullable Object call(Object target, Method method, Object @Nullable [] arguments) throws Throwable {
        committed = false;
        Object result = invokeOn(target, method, arguments);
        if (committed && watchesStatements) {
            committed = false;
            if (policy.isReplicated(database)) {
                policy.committed(database, connection.getAutoCommit());
            }
        }
        return result;
    }

    private void commit() throws SQLException {
        if (!policy.isReplicated(database)) {
            connection.commit();
            return;
        }
        boolean changed = true;
        committed = false;
        TransactionMode mode = sqlite.getConnectionConfig().getTransactionMode();
        if (mode == TransactionMode.DEFERRED || connection.getAutoCommit()) {
            connection.commit();
        } else {
            changed = hasChanged();
            commitAndLetGo(mode);
        }
        if (committed && changed) {
            committed = false;
            policy.committed(database, false);
        }
    }

    /** The driver begins the next transaction at once: as it is configured, that would hold the write lock while we wait. */
    private void commitAndLetGo(TransactionMode mode) throws SQLException {
        sqlite.getConnectionConfig().setTransactionMode(TransactionMode.DEFERRED);
        try {
            connection.commit();
            relaxed = true;
        } finally {
            sqlite.getConnectionConfig().setTransactionMode(mode);
        }
    }

    private void ended() throws SQLException {
        database.connections().closed(sqlite);
        if (!sqlite.isClosed()) { // it went back to a pool, and comes with another object of this kind
            sqlite.removeCommitListener(this);
        }
    }

    private void awaitGate() throws SQLException {
        if (database.gate().isShut() && connection.getAutoCommit()) {
            database.gate().pass();
        }
    }

    private void awaitWriteLock(Object @Nullable [] arguments) {
        WriteLock lock = database.writeLock();
        if (lock.isHeld() && !(arguments != null && arguments[0] instanceof String sql && isQuery(sql))) {
            lock.awaitRelease();
        }
    }

    private static boolean isQuery(String sql) {
        return sql.stripLeading().regionMatches(true, 0, "SELECT", 0, 6);
    }

    private void beginOrEnd(boolean end) throws SQLException {
        if (end) {
            relaxed = false; // the next transaction begins as it is configured
        } else if (connection.getAutoCommit()) {
            seen = seen.counted(sqlite);
        }
    }

    private void restoreTransactionMode() throws SQLException {
        if (relaxed) {
            relaxed = false;
            if (!connection.getAutoCommit()) {
                connection.setAutoCommit(true);
                connection.setAutoCommit(false);
            }
        }
    }

    /** A transaction that held the write lock counts as committed, even if all it did was read. */
    private boolean hasChanged() throws SQLException {
        State before = seen;
        seen = State.of(sqlite);
        return !seen.equals(before);
    }

    /**
     * Tells whether a transaction wrote.
     *
     * @param changes rows that the connection has written
     * @param schema version of the schema
     * @param user version of the application
     */
    private record State(long changes, long schema, long user) {

        static final State NONE = new State(0, 0, 0);

        static State of(SQLiteConnection sqlite) throws SQLException {
            try (Statement statement = sqlite.createStatement();
                    ResultSet row = statement.executeQuery(
                            "SELECT schema_version, user_version FROM pragma_schema_version, pragma_user_version")) {
                return new State(sqlite.getDatabase().total_changes(), row.getLong(1), row.getLong(2));
            }
        }

        State counted(SQLiteConnection sqlite) throws SQLException {
            return new State(sqlite.getDatabase().total_changes(), schema, user);
        }
    }

    /** A statement, or what it returns as long as its transaction may end with it. */
    private final class Watched implements InvocationHandler {

        private final Object target;
        private final Object owner;

        Watched(Object target, Object owner) {
            this.target = target;
            this.owner = owner;
        }

        @Override
        public @Nullable Object invoke(Object self, Method method, Object @Nullable [] arguments) throws Throwable {
            switch (method.getName()) {
                case "equals", "hashCode", "unwrap", "isWrapperFor":
                    return identity(self, target, method, arguments);
                case "getConnection", "getStatement":
                    return owner;
                default:
                    break;
            }
            if (target instanceof Statement && method.getName().startsWith("execute")) {
                restoreTransactionMode();
            }
            Object result = call(target, method, arguments);
            // A statement that writes and returns rows commits when the last row was read.
            return method.getReturnType() == ResultSet.class && result != null && connection.getAutoCommit()
                    ? proxy(ResultSet.class, new Watched(result, self))
                    : result;
        }
    }
}
