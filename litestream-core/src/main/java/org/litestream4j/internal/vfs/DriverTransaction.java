package org.litestream4j.internal.vfs;

import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.SqliteCode;
import org.sqlite.SQLiteException;

/**
 * The transaction of a connection without auto-commit. Some errors make SQLite roll the transaction back, which the driver
 * does not notice: later statements would read other states. Here, they fail until the application ends the transaction.
 */
final class DriverTransaction {

    private final Connection driver;
    private volatile @Nullable SQLException rolledBackBy;

    DriverTransaction(Connection driver) {
        this.driver = driver;
    }

    /** Records an error, which may have rolled the transaction back. */
    void failed(SQLException error) throws SQLException {
        if (error instanceof SQLiteException sqlite && !driver.isClosed() && !driver.getAutoCommit()) {
            int code = SqliteCode.primary(sqlite);
            if (code == SqliteCode.IOERR || code == SqliteCode.NOMEM || code == SqliteCode.FULL) {
                rolledBackBy = error;
            }
        }
    }

    /**
     * Handles a call after a rollback.
     *
     * @param target the driver's object that is called
     * @return false if the driver has to handle the call
     * @throws SQLException if the call needs a transaction
     */
    boolean handles(Object target, Method method, Object @Nullable [] arguments) throws SQLException {
        SQLException error = rolledBackBy;
        if (error == null) {
            return false;
        }
        String name = method.getName();
        if (target instanceof Connection) {
            return handles(name, arguments, error);
        }
        boolean isList = target instanceof DatabaseMetaData && method.getReturnType() == ResultSet.class;
        if (isList || name.startsWith("execute")) {
            throw refusal(error);
        }
        return false;
    }

    private boolean handles(String name, Object @Nullable [] arguments, SQLException error) throws SQLException {
        switch (name) {
            case "rollback":
                if (arguments != null) { // to a savepoint
                    throw refusal(error);
                }
                end();
                driver.setAutoCommit(false);
                return true;
            case "commit":
                end();
                driver.setAutoCommit(false);
                throw refusal(error);
            case "setAutoCommit":
                if (arguments != null && arguments[0].equals(true)) {
                    end();
                }
                return true;
            case "setSavepoint", "releaseSavepoint":
                throw refusal(error);
            default:
                return false;
        }
    }

    /** Leaves the driver with auto-commit. */
    private void end() throws SQLException {
        try {
            driver.setAutoCommit(true); // sets the flag, then commits
        } catch (SQLException e) {
            if (!driver.getAutoCommit()) {
                throw e;
            } // otherwise, SQLite has no transaction any more
        }
        rolledBackBy = null;
    }

    private static SQLException refusal(SQLException error) {
        return new SQLException(
                "the transaction was rolled back by an earlier error; call rollback(): " + error.getMessage(),
                "25000", // invalid transaction state
                error);
    }
}
