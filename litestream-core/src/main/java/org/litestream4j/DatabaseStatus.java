package org.litestream4j;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;

/**
 * A moment's view of one database; derived from positions and the last error.
 *
 * @param name as configured
 * @param path of the database file
 * @param replica address of the replica, without secrets
 * @param state what it is doing
 * @param captured newest transaction that lies in a local level-0 file
 * @param replicated newest transaction that is on the replica
 * @param lag age of the oldest change that is not on the replica; zero if there is none
 * @param lastError what last went wrong, with its remedy; null once the same step succeeded again
 * @param lastErrorAt when
 */
public record DatabaseStatus(
        String name,
        Path path,
        String replica,
        DatabaseState state,
        Txid captured,
        Txid replicated,
        Duration lag,
        @Nullable String lastError,
        @Nullable Instant lastErrorAt) {}
