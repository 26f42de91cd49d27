package org.litestream4j.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.restore.IntegrityCheck;
import org.litestream4j.restore.RestoreTarget;

class RestoresTest {

    @TempDir
    Path folder;

    @Test
    void endedRestores_areForgottenFromTheOldestOn() throws Exception {
        Restores restores = new Restores(1, Clock.systemUTC(), UnaryOperator.identity());
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(DatabaseConfig.builder(
                            folder.resolve("app.db"),
                            ReplicaLocation.of(folder.resolve("replica").toUri().toString()))
                    .build());
            List<String> ids = new ArrayList<>();
            for (int i = 0; i < Restores.MOST_ENDED + 3; i++) {
                RunningRestore restore = restores.begin(database, request());
                await().pollInterval(Duration.ofMillis(5))
                        .atMost(Duration.ofSeconds(30))
                        .until(() -> !restore.isRunning());
                assertThat(restore.describe().error()).contains("no backup");
                ids.add(0, restore.id());
            }
            assertThat(restores.of("app.db"))
                    .extracting(RunningRestore::id)
                    .containsExactlyElementsOf(ids.subList(0, Restores.MOST_ENDED + 1));
            assertThat(restores.find("app.db", ids.get(ids.size() - 1))).isEmpty();
            restores.close();
            assertThatThrownBy(() -> restores.begin(database, request()))
                    .isInstanceOf(RequestException.class)
                    .hasMessageContaining("shutting down");
        }
    }

    private RestoreRequest request() {
        return new RestoreRequest(
                RestoreTarget.latest(), folder.resolve("side.db"), false, IntegrityCheck.NONE, Duration.ofSeconds(1));
    }
}
