package org.litestream4j.test;

import org.litestream4j.ManagedDatabase;

/** Entry point of the assertions, for a static import beside those of AssertJ. */
public final class LitestreamAssertions {

    private LitestreamAssertions() {}

    /** Begins assertions on a replicated database. */
    public static ManagedDatabaseAssert assertThat(ManagedDatabase actual) {
        return new ManagedDatabaseAssert(actual);
    }
}
