package org.litestream4j.spring.actuate;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.litestream4j.restore.IntegrityCheck;
import org.litestream4j.restore.RestoreTarget;

/**
 * What is to be restored, and where to.
 *
 * @param file null for the database itself
 * @param force replace a file that exists
 * @param timeout longest wait for the replica and for other writers; for the database itself only
 */
record RestoreRequest(
        RestoreTarget state, @Nullable Path file, boolean force, IntegrityCheck integrityCheck, Duration timeout) {

    boolean isInPlace() {
        return file == null;
    }
}
