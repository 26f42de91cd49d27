package org.litestream4j.spring.actuate;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseState;
import org.litestream4j.DatabaseStatus;

/**
 * One database in the responses of the endpoint.
 *
 * @param path path of the database file
 * @param replica address of the replica, without secrets
 * @param state state of the replication
 * @param captured TXID of the newest captured transaction, 16 hexadecimal digits
 * @param replicated TXID of the newest transaction on the replica, 16 hexadecimal digits
 * @param lag age of the oldest change that is not on the replica, ISO 8601
 * @param lastError last error, with its remedy; null after the failed step has succeeded again
 * @param lastErrorAt time of the last error, ISO 8601
 */
record DatabaseDescription(
        String name,
        String path,
        String replica,
        DatabaseState state,
        String captured,
        String replicated,
        Duration lag,
        @Nullable String lastError,
        @Nullable String lastErrorAt) {

    static DatabaseDescription of(DatabaseStatus status) {
        return new DatabaseDescription(
                status.name(),
                status.path().toString(),
                status.replica(),
                status.state(),
                status.captured().toString(),
                status.replicated().toString(),
                status.lag(),
                status.lastError(),
                status.lastErrorAt() == null ? null : status.lastErrorAt().toString());
    }
}
