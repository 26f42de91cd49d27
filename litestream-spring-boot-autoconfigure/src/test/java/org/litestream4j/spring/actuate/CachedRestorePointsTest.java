package org.litestream4j.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.ReplicaLocation;

class CachedRestorePointsTest {

    @TempDir
    Path folder;

    @Test
    void requestsInARow_askTheReplicaOnce_untilSomethingIsDone() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(DatabaseConfig.builder(
                            folder.resolve("app.db"), ReplicaLocation.of("file://" + folder.resolve("replica")))
                    .build());
            AtomicInteger asked = new AtomicInteger();
            CachedRestorePoints points = new CachedRestorePoints(each -> {
                asked.incrementAndGet();
                return each.restorePoints();
            });
            for (int i = 0; i < 5; i++) {
                assertThat(points.of(database).latest()).isNull();
            }
            assertThat(asked).hasValue(1);
            points.forget("app.db");
            points.of(database);
            assertThat(asked).hasValue(2);
        }
    }
}
