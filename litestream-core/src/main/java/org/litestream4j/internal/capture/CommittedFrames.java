package org.litestream4j.internal.capture;

import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Asks SQLite for the number of committed frames in the WAL. Uses a connection of its own that is never in a
 * transaction, because SQLite answers only such a connection. The connection is open while there is work.
 */
final class CommittedFrames {

    private static final int COUNT_ATTEMPTS = 100;

    private static final long PAUSE_NANOS = 20_000;

    private final OwnConnections connections;

    private @Nullable Counter counter;

    private record Counter(Connection connection, PreparedStatement noop) {}

    CommittedFrames(OwnConnections connections) {
        this.connections = connections;
    }

    /**
     * The numbers of frames that SQLite counts in the WAL. Frames after {@code committed} are not committed, even if
     * they look valid.
     *
     * @param committed number of committed frames, {@code mxFrame} of the wal-index; 0 if the WAL is empty, or the
     *     next writer resets it
     * @param copied number of these frames that are in the database file
     */
    record Count(long committed, long copied) {}

    Count count() throws IOException {
        PreparedStatement noop = counter().noop();
        for (int attempt = 1; attempt <= COUNT_ATTEMPTS; attempt++) {
            try (ResultSet row = noop.executeQuery()) {
                row.next();
                if (row.getInt(1) == 0 && row.getLong(2) >= 0) {
                    return new Count(row.getLong(2), Math.max(0, row.getLong(3)));
                }
            } catch (SQLException e) {
                if (!SqliteErrors.isBusy(e)) {
                    throw connections.failure("cannot read the number of committed frames", e);
                }
            }
            LockSupport.parkNanos(attempt * PAUSE_NANOS);
        }
        throw new IOException(
                connections.path() + ": the wal-index is being recovered by another connection; will retry");
    }

    private Counter counter() throws IOException {
        Counter open = counter;
        if (open == null) {
            Connection connection = null;
            try {
                connection = connections.open();
                open = new Counter(connection, connection.prepareStatement("PRAGMA wal_checkpoint(NOOP)"));
                counter = open;
            } catch (SQLException e) {
                if (connection != null) {
                    OwnConnections.closeQuietly(connection);
                }
                throw connections.unopened(e);
            }
        }
        return open;
    }

    /** Closes the connection until the next call of {@link #count}. */
    void closeIdleConnections() {
        Counter counting = counter;
        counter = null;
        if (counting != null) {
            OwnConnections.closeQuietly(counting.connection());
        }
    }
}
