package org.litestream4j;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.GatedReplicaProvider;
import org.litestream4j.testing.SqliteFixture;
import org.sqlite.SQLiteConfig.TransactionMode;
import org.sqlite.SQLiteDataSource;

/** A database whose replica a test can shut, and whose connections may wait for it. */
abstract class DurabilityFixture extends EngineFixture {

    static final Duration SHORT = Duration.ofMillis(300);

    Litestream litestream;
    ManagedDatabase database;
    GatedReplicaProvider.Control gate;

    @AfterEach
    void end() {
        gate.open();
        gate.away = false;
        litestream.close();
    }

    void begin(Durability durability, Duration timeout, Duration syncInterval) throws Exception {
        create("CREATE TABLE t(x)");
        gate = GatedReplicaProvider.control(replica);
        litestream = litestream();
        database = litestream.register(DatabaseConfig.builder(path, GatedReplicaProvider.location(replica))
                .durability(durability)
                .durabilityTimeout(timeout)
                .syncInterval(syncInterval)
                .levels(List.of(NEVER)) // a merge would be one more upload
                .snapshotInterval(NEVER)
                .build());
        database.sync(TIMEOUT);
    }

    void beginReplicated(Duration timeout) throws Exception {
        begin(Durability.REPLICATED, timeout, Duration.ofMillis(10));
    }

    Connection open(TransactionMode mode) throws SQLException {
        SQLiteDataSource source = SqliteFixture.dataSource(path);
        source.setTransactionMode(mode.getValue());
        return database.wrap(source).getConnection();
    }
}
