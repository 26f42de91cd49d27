package org.litestream4j.spring.actuate;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.litestream4j.restore.IntegrityCheck;
import org.litestream4j.restore.RestoreTarget;

/**
 * State and target of a requested restore.
 *
 * @param file target file; null for the database itself
 * @param force whether an existing file is replaced
 * @param timeout longest wait for the replica and for other writers; applies only to the database itself
 */
record RestoreRequest(
        RestoreTarget state, @Nullable Path file, boolean force, IntegrityCheck integrityCheck, Duration timeout) {

    boolean isInPlace() {
        return file == null;
    }
}
