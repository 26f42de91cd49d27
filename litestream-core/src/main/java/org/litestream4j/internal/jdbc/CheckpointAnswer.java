package org.litestream4j.internal.jdbc;

import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * The row that answers a {@code PRAGMA wal_checkpoint} which was run as a passive one instead. That reports "not busy" also where
 * it left something in the WAL, which the one that was asked for reports as busy.
 */
final class CheckpointAnswer {

    private CheckpointAnswer() {}

    static boolean isOf(@Nullable SqlText text) {
        return text != null && !text.checkpoints().isEmpty();
    }

    /** What a getter returns; null if that is for the row itself to say. */
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
