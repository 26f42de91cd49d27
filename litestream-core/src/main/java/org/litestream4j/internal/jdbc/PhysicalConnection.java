package org.litestream4j.internal.jdbc;

import static java.util.Objects.requireNonNull;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Wrapper;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConnection;

/**
 * A connection of the application to the driver. Reports the calls on it and on its statements to its
 * {@link Transactions}, and waits at the start of a transaction while the database is replaced. Used by one thread at a
 * time.
 */
final class PhysicalConnection implements InvocationHandler {

    private final Connection connection;
    private final SQLiteConnection sqlite;
    private final ApplicationConnections database;
    private final Transactions transactions;
    private final Connection proxy;

    private PhysicalConnection(
            Connection connection,
            SQLiteConnection sqlite,
            ApplicationConnections database,
            Transactions transactions) {
        this.connection = connection;
        this.sqlite = sqlite;
        this.database = database;
        this.transactions = transactions;
        this.proxy = proxy(Connection.class, this);
    }

    /** @param sqlite the driver's connection */
    static PhysicalConnection open(
            Connection connection, SQLiteConnection sqlite, ApplicationConnections database, CommitHooks.Policy policy)
            throws SQLException {
        Transactions transactions = new Transactions(connection, sqlite, database, policy);
        PhysicalConnection opened = new PhysicalConnection(connection, sqlite, database, transactions);
        sqlite.addCommitListener(transactions);
        database.open().opened(sqlite, opened);
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
                transactions.setAutoCommit((Boolean) requireNonNull(arguments)[0]);
                return null;
            case "createStatement", "prepareStatement", "prepareCall":
                awaitGate();
                transactions.restoreMode();
                return statement(self, method, arguments);
            case "setSavepoint": // a transaction may begin with it
                awaitGate();
                transactions.restoreMode();
                return call(connection, method, arguments);
            case "getMetaData":
                return watched(call(connection, method, arguments), method, self, null);
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
        } catch (Throwable e) {
            transactions.called();
            transactions.afterFailure(e);
            throw e;
        }
        transactions.called();
        transactions.afterCall();
        return result;
    }

    private @Nullable Object statement(Object self, Method method, Object @Nullable [] arguments) throws Throwable {
        SqlText prepared = text(arguments);
        Object result = call(connection, method, arguments(arguments, prepared));
        return watched(result, method, self, prepared);
    }

    private static @Nullable SqlText text(Object @Nullable [] arguments) {
        return arguments != null && arguments[0] instanceof String sql ? SqlText.of(sql) : null;
    }

    /** Returns the arguments, with SQL that SQLite runs without waiting for the engine's reader. */
    private Object @Nullable [] arguments(Object @Nullable [] arguments, @Nullable SqlText text) {
        if (arguments == null || text == null || text.checkpoints().isEmpty()) {
            return arguments;
        }
        Object[] changed = arguments.clone();
        changed[0] = text.withPassiveCheckpoints(transactions::isReplicated);
        return changed;
    }

    /**
     * Returns a proxy for results that would give the application access to the driver's connection.
     *
     * @param text text that was prepared, or to which a result belongs; null if there is none
     */
    private @Nullable Object watched(@Nullable Object result, Method method, Object owner, @Nullable SqlText text) {
        Class<?> type = method.getReturnType();
        if (result == null || !type.isInterface()) {
            return result;
        }
        if (type == Connection.class) {
            return proxy;
        }
        boolean leadsBack = result instanceof Statement
                || result instanceof ResultSet
                || result instanceof DatabaseMetaData
                || result instanceof Wrapper;
        return leadsBack ? proxy(type, new Watched(result, owner, text)) : result;
    }

    private void closed() throws SQLException {
        transactions.closed();
        database.open().closed(sqlite);
        if (!sqlite.isClosed()) { // returned to a pool; reused through another object of this class
            sqlite.removeCommitListener(transactions);
        }
    }

    private void awaitGate() throws SQLException {
        if (database.gate().isShut() && connection.getAutoCommit()) {
            database.gate().pass();
        }
    }

    /** A statement, a result, or their metadata. */
    private final class Watched implements InvocationHandler {

        private final Object target;
        private final Object owner;

        /** Text that was prepared or run last; for a result, the text to which it belongs. Null if unknown. */
        private @Nullable SqlText text;

        private final List<SqlText> batch = new ArrayList<>(0);

        Watched(Object target, Object owner, @Nullable SqlText text) {
            this.target = target;
            this.owner = owner;
            this.text = text;
        }

        @Override
        public @Nullable Object invoke(Object self, Method method, Object @Nullable [] arguments) throws Throwable {
            switch (method.getName()) {
                case "equals", "hashCode", "unwrap", "isWrapperFor":
                    return identity(self, target, method, arguments);
                case "getStatement":
                    if (owner instanceof Statement) {
                        return owner;
                    }
                    break; // a result of the metadata
                case "addBatch":
                    return addBatch(method, arguments);
                case "clearBatch":
                    batch.clear();
                    break;
                default:
                    break;
            }
            if (CheckpointResultRow.isOf(text) && target instanceof ResultSet row) {
                Object answer = CheckpointResultRow.of(row, method, arguments);
                if (answer != null) {
                    return answer;
                }
            }
            Object result =
                    target instanceof Statement statement && method.getName().startsWith("execute")
                            ? execute(statement, method, arguments)
                            : call(target, method, arguments);
            boolean isRows = method.getReturnType() == ResultSet.class; // a result is its own metadata in the driver
            if (isRows && result instanceof ResultSet rows && !method.getName().equals("getGeneratedKeys")) {
                transactions.returned(rows);
            }
            return watched(result, method, self, isRows ? text : null);
        }

        private @Nullable Object addBatch(Method method, Object @Nullable [] arguments) throws Throwable {
            SqlText added = text(arguments);
            Object result = call(target, method, arguments(arguments, added));
            if (added != null) {
                batch.add(added);
            }
            return result;
        }

        private @Nullable Object execute(Statement statement, Method method, Object @Nullable [] arguments)
                throws Throwable {
            transactions.restoreMode();
            SqlText given = text(arguments);
            if (given != null) {
                text = given;
            }
            List<SqlText> texts = texts(method);
            StatementKind kind = kind(method);
            transactions.beforeStatement(texts, kind, statement.getQueryTimeout());
            Object result;
            try {
                result = invokeOn(statement, method, arguments(arguments, given));
            } catch (Throwable e) {
                transactions.afterStatement(kind, false);
                transactions.afterFailure(texts, e);
                throw e;
            }
            transactions.afterStatement(kind, true);
            transactions.afterStatement(texts);
            return result;
        }

        private List<SqlText> texts(Method method) {
            if (!batch.isEmpty() && method.getName().endsWith("Batch")) {
                List<SqlText> added = List.copyOf(batch);
                batch.clear(); // the driver has run or discarded them
                return added;
            }
            return text == null ? List.of() : List.of(text);
        }

        private StatementKind kind(Method method) {
            if (text == null || !batch.isEmpty()) {
                return StatementKind.WRITE;
            }
            boolean update =
                    text.kind() == StatementKind.OTHER && method.getName().contains("Update");
            return update ? StatementKind.WRITE : text.kind();
        }
    }
}
