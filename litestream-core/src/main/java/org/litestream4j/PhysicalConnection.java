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
import org.sqlite.SQLiteConnection;

/**
 * A connection of the application to the driver: shows its {@link Transactions} what is called on it and on its statements, and
 * waits where a transaction would begin while the database is replaced. Used by one thread at a time.
 */
final class PhysicalConnection implements InvocationHandler {

    private final Connection connection;
    private final SQLiteConnection sqlite;
    private final ManagedDatabase database;
    private final Transactions transactions;
    private final Connection proxy;

    private PhysicalConnection(
            Connection connection, SQLiteConnection sqlite, ManagedDatabase database, Transactions transactions) {
        this.connection = connection;
        this.sqlite = sqlite;
        this.database = database;
        this.transactions = transactions;
        this.proxy = proxy(Connection.class, this);
    }

    /** @param sqlite what the connection is to the driver */
    static PhysicalConnection open(
            Connection connection, SQLiteConnection sqlite, ManagedDatabase database, CommitPolicy policy)
            throws SQLException {
        Transactions transactions = new Transactions(connection, sqlite, database, policy);
        PhysicalConnection opened = new PhysicalConnection(connection, sqlite, database, transactions);
        sqlite.addCommitListener(transactions);
        database.connections().opened(sqlite, opened);
        return opened;
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

    @Override
    public @Nullable Object invoke(Object self, Method method, Object @Nullable [] arguments) throws Throwable {
        switch (method.getName()) {
            case "equals", "hashCode", "unwrap", "isWrapperFor":
                return identity(self, connection, method, arguments);
            case "setAutoCommit":
                awaitGate();
                transactions.setAutoCommit((Boolean) arguments[0]);
                return null;
            case "createStatement", "prepareStatement", "prepareCall":
                awaitGate();
                transactions.restoreMode();
                return statement(self, method, arguments);
            case "commit":
                transactions.commit();
                return null;
            case "rollback":
                if (arguments != null) { // to a savepoint
                    return call(connection, method, arguments);
                }
                transactions.rollback();
                return null;
            case "close", "abort":
                try {
                    return call(connection, method, arguments);
                } finally {
                    if (connection.isClosed()) {
                        closed();
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

    private @Nullable Object call(Object target, Method method, Object @Nullable [] arguments) throws Throwable {
        transactions.beforeCall();
        Object result;
        try {
            result = invokeOn(target, method, arguments);
        } finally {
            transactions.called();
        }
        transactions.afterCall();
        return result;
    }

    private @Nullable Object statement(Object self, Method method, Object @Nullable [] arguments) throws Throwable {
        StatementKind prepared = arguments != null && arguments[0] instanceof String sql ? StatementKind.of(sql) : null;
        Object result = call(connection, method, arguments);
        return result == null ? null : proxy(method.getReturnType(), new Watched(result, self, prepared));
    }

    private void closed() throws SQLException {
        transactions.closed();
        database.connections().closed(sqlite);
        if (!sqlite.isClosed()) { // it went back to a pool, and comes with another object of this kind
            sqlite.removeCommitListener(transactions);
        }
    }

    private void awaitGate() throws SQLException {
        if (database.gate().isShut() && connection.getAutoCommit()) {
            database.gate().pass();
        }
    }

    /** A statement, or what it returns as long as its transaction may end with it. */
    private final class Watched implements InvocationHandler {

        private final Object target;
        private final Object owner;

        /** Of the SQL that was prepared; null if there was none. */
        private final @Nullable StatementKind prepared;

        Watched(Object target, Object owner, @Nullable StatementKind prepared) {
            this.target = target;
            this.owner = owner;
            this.prepared = prepared;
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
            Object result =
                    target instanceof Statement statement && method.getName().startsWith("execute")
                            ? execute(statement, method, arguments)
                            : call(target, method, arguments);
            if (result instanceof ResultSet rows && !method.getName().equals("getGeneratedKeys")) {
                transactions.returned(rows);
            }
            // A statement that writes and returns rows commits when the last row was read.
            return method.getReturnType() == ResultSet.class && result != null && transactions.watchesResults()
                    ? proxy(ResultSet.class, new Watched(result, self, null))
                    : result;
        }

        private @Nullable Object execute(Statement statement, Method method, Object @Nullable [] arguments)
                throws Throwable {
            transactions.restoreMode();
            StatementKind kind = kind(method, arguments);
            Object result;
            boolean done = false;
            try {
                transactions.beforeStatement(kind, statement.getQueryTimeout());
                result = invokeOn(statement, method, arguments);
                done = true;
            } finally {
                transactions.afterStatement(kind, done);
            }
            transactions.afterCall();
            return result;
        }

        private StatementKind kind(Method method, Object @Nullable [] arguments) {
            StatementKind kind =
                    arguments != null && arguments[0] instanceof String sql ? StatementKind.of(sql) : prepared;
            boolean batch = kind == null;
            boolean update = kind == StatementKind.OTHER && method.getName().contains("Update");
            return batch || update ? StatementKind.WRITE : kind;
        }
    }
}
