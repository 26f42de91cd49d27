package org.litestream4j;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;

/**
 * Status of one database at one moment. Derived from positions and the last error.
 *
 * @param name configured name of the database
 * @param path path of the database file
 * @param replica address of the replica, without secrets
 * @param state state of the database
 * @param captured newest transaction in a local level-0 file
 * @param replicated newest transaction on the replica
 * @param lag age of the oldest change that is not on the replica; zero if there is none
 * @param lastError last error, with its remedy; null after the failed step has succeeded again
 * @param lastErrorAt time of the last error; null if there is none
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
