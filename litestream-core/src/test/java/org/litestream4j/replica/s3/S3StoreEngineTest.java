package org.litestream4j.replica.s3;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.litestream4j.replica.ReplicaLocation;

/** The engine over S3, against a store of the user's choice: {@link S3Store}. */
@EnabledIfSystemProperty(named = S3Store.URL, matches = ".+", disabledReason = S3Store.HOW)
class S3StoreEngineTest extends S3EngineContract {

    private static S3Store store;

    @BeforeAll
    static void findStore() {
        store = new S3Store();
    }

    @AfterAll
    static void cleanUp() throws IOException {
        store.clean();
    }

    @Override
    ReplicaLocation freshLocation() {
        return store.freshLocation();
    }
}
