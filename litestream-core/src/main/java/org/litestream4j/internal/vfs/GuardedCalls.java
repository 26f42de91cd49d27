package org.litestream4j.internal.vfs;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * The calls of an application on a connection and on what it returns. An exception gets the cause that the VFS kept. On
 * request, each call that may reach SQLite checks first that the stack suffices.
 */
final class GuardedCalls implements InvocationHandler {

    private final Object target;
    private final boolean isProbing;

    private final DriverTransaction transaction;

    /** The object whose method returned this one; null for a connection. */
    private final @Nullable Object parent;

    private GuardedCalls(Object target, boolean isProbing, DriverTransaction transaction, @Nullable Object parent) {
        this.target = target;
        this.isProbing = isProbing;
        this.transaction = transaction;
        this.parent = parent;
    }

    /** Opens a connection. */
    @FunctionalInterface
    interface Opener {
        Connection open() throws SQLException;
    }

    /** Opens a connection whose calls are guarded, itself guarded. */
    static Connection open(boolean isProbing, Opener opener) throws SQLException {
        begin(isProbing);
        try {
            Connection driver = opener.open();
            return proxy(Connection.class, new GuardedCalls(driver, isProbing, new DriverTransaction(driver), null));
        } catch (SQLException e) {
            throw explained(e);
        } finally {
            end(isProbing);
        }
    }

    private static void begin(boolean isProbing) {
        LastFailure.take();
        if (isProbing) {
            StackProbe.probe();
            StackProbe.beginGuarding();
        }
    }

    private static void end(boolean isProbing) {
        if (isProbing) {
            StackProbe.endGuarding();
        }
    }

    /** Returns an exception that tells what the VFS kept, with the same error code. */
    private static SQLException explained(SQLException exception) {
        Throwable cause = LastFailure.take();
        if (cause == null || !(exception instanceof SQLiteException sqlite)) {
            return exception;
        }
        SQLiteErrorCode code = sqlite.getResultCode();
        String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
        SQLiteException explained = code == SQLiteErrorCode.SQLITE_ERROR // SQLite's message holds it
                ? sqlite
                : new SQLiteException("[" + code.name() + "] " + message, code);
        explained.setStackTrace(exception.getStackTrace());
        if (explained.getCause() == null) {
            explained.initCause(cause);
        }
        return explained;
    }

    private static <T> T proxy(Class<T> type, GuardedCalls calls) {
        return type.cast(Proxy.newProxyInstance(GuardedCalls.class.getClassLoader(), new Class<?>[] {type}, calls));
    }

    @Override
    public @Nullable Object invoke(Object self, Method method, Object @Nullable [] arguments) throws Throwable {
        if (target instanceof ResultSet && isGetter(method.getName())) {
            return method.getName().equals("getStatement") ? statement() : call(method, arguments);
        }
        switch (method.getName()) {
            case "equals":
                return arguments != null && self == arguments[0];
            case "hashCode":
                return System.identityHashCode(self);
            case "unwrap", "isWrapperFor":
                if (arguments != null && ((Class<?>) arguments[0]).isInstance(self)) {
                    return method.getName().equals("unwrap") ? self : (Object) true;
                }
                return call(method, arguments);
            case "getConnection":
                return parent;
            default:
                return guarded(self, method, arguments);
        }
    }

    /** Returns the statement of a result set; null if it is of the database's metadata. */
    private @Nullable Object statement() {
        return parent instanceof Statement ? parent : null;
    }

    /** Returns whether a method of a result set only reads the present row. */
    private static boolean isGetter(String name) {
        return name.startsWith("get") || name.equals("wasNull");
    }

    private @Nullable Object guarded(Object self, Method method, Object @Nullable [] arguments) throws Throwable {
        begin(isProbing);
        try {
            if (transaction.handles(target, method, arguments)) {
                return null;
            }
            Object result = call(method, arguments);
            if (result instanceof Statement || result instanceof ResultSet || result instanceof DatabaseMetaData) {
                return proxy(method.getReturnType(), new GuardedCalls(result, isProbing, transaction, self));
            }
            return result;
        } catch (SQLException e) {
            SQLException explained = explained(e);
            transaction.failed(explained);
            throw explained;
        } finally {
            end(isProbing);
        }
    }

    private @Nullable Object call(Method method, Object @Nullable [] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause() == null ? e : e.getCause();
        }
    }
}
