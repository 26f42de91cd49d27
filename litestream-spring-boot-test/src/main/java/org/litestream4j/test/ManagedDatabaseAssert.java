package org.litestream4j.test;

import java.time.Duration;
import org.assertj.core.api.AbstractAssert;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseState;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.NotReplicatedException;
import org.litestream4j.restore.RestoreTarget;

/** Assertions on a replicated database. */
public final class ManagedDatabaseAssert extends AbstractAssert<ManagedDatabaseAssert, ManagedDatabase> {

    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    ManagedDatabaseAssert(@Nullable ManagedDatabase actual) {
        super(actual, ManagedDatabaseAssert.class);
    }

    /** Verifies that everything that is committed now is on the replica within a duration. Starts an upload. */
    public ManagedDatabaseAssert isReplicatedWithin(Duration timeout) {
        isNotNull();
        try {
            actual.awaitReplicated(timeout);
        } catch (NotReplicatedException e) {
            throw failure("%s is not replicated: %s", actual.name(), e.getMessage());
        }
        return this;
    }

    /** Verifies the state of replication. */
    public ManagedDatabaseAssert hasState(DatabaseState expected) {
        isNotNull();
        DatabaseState state = actual.status().state();
        if (state != expected) {
            throw failure("%s has the state %s, not %s", actual.name(), state, expected);
        }
        return this;
    }

    /**
     * Waits until everything that is committed now is on the replica, at most 10 s, restores the replica into a
     * temporary file, and runs SQLite's integrity check on it. Further assertions are about the restored database.
     */
    public RestoredDatabaseAssert isRestorable() {
        isReplicatedWithin(TIMEOUT);
        return RestoredDatabaseAssert.restore(actual, RestoreTarget.latest());
    }
}
