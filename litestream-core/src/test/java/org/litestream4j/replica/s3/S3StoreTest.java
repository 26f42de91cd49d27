package org.litestream4j.replica.s3;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaClientContract;
import org.litestream4j.replica.ReplicaLocation;

/** The contract, against a store of the user's choice: {@link S3Store}. */
@EnabledIfSystemProperty(named = S3Store.URL, matches = ".+", disabledReason = S3Store.HOW)
class S3StoreTest extends ReplicaClientContract {

    private static S3Store store;

    private ReplicaLocation location;

    @BeforeAll
    static void findStore() {
        store = new S3Store();
    }

    @AfterAll
    static void cleanUp() throws IOException {
        store.clean();
    }

    @BeforeEach
    void choosePath() {
        location = store.freshLocation();
    }

    @Override
    protected ReplicaClient newClient() {
        return new S3Provider().create(location);
    }
}
