package org.litestream4j.internal.jdbc;

import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * The result row of a {@code PRAGMA wal_checkpoint} that was run as a passive one instead. A passive checkpoint reports
 * "not busy" even if frames remain in the WAL, which the requested mode would report as busy.
 */
final class CheckpointResultRow {

    private CheckpointResultRow() {}

    static boolean isOf(@Nullable SqlText text) {
        return text != null && !text.checkpoints().isEmpty();
    }

    /** Returns the value of a getter; null if the row itself provides it. */
    static @Nullable Object of(ResultSet row, Method method, Object @Nullable [] arguments) throws SQLException {
        if (arguments == null || !method.getName().startsWith("get") || !isBusyColumn(arguments[0])) {
            return null;
        }
        boolean incomplete = row.getInt(1) == 0 && row.getInt(2) != row.getInt(3);
        return incomplete ? one(method.getReturnType()) : null;
    }

    private static boolean isBusyColumn(Object column) {
        return column.equals(1) || (column instanceof String name && name.equalsIgnoreCase("busy"));
    }

    private static @Nullable Object one(Class<?> type) {
        if (type == int.class || type == Object.class) {
            return 1;
        } else if (type == long.class) {
            return 1L;
        } else if (type == String.class) {
            return "1";
        } else if (type == boolean.class) {
            return true;
        } else if (type == short.class) {
            return (short) 1;
        } else if (type == byte.class) {
            return (byte) 1;
        } else if (type == double.class) {
            return 1.0;
        } else if (type == float.class) {
            return 1.0f;
        }
        return type == BigDecimal.class ? BigDecimal.ONE : null;
    }
}
