package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.ReplicationTimeoutException;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.transaction.event.TransactionalEventListener;

/** An application in which nothing is captured within the hour unless somebody waits for it. */
abstract class TransactionDurabilityFixture {

    static final Duration TIMEOUT = Duration.ofSeconds(30);

    static final String REPLICATED = "litestream.durability=replicated";

    @TempDir
    Path folder;

    private Path away;

    ApplicationContextRunner application(String... settings) {
        return Runners.jdbc(folder)
                .withUserConfiguration(Orders.class, NestedOrders.class, Listener.class)
                .withPropertyValues("litestream.sync-interval=1h", "litestream.durability-timeout=20s")
                .withPropertyValues(settings);
    }

    static void assertTimeout(Throwable error) {
        assertThat(error).isInstanceOf(ReplicationTimeoutException.class).hasMessageContaining("committed locally");
    }

    void replicaGoes() throws IOException {
        away = Files.createTempDirectory(folder, "away").resolve("replica");
        Files.move(folder.resolve("replica"), away);
        Files.createFile(folder.resolve("replica"));
    }

    /** By a link that takes the file's place: between two steps an upload could begin the folder anew. */
    void replicaReturns() throws IOException {
        Path link = Files.createSymbolicLink(folder.resolve("link"), away);
        Files.move(link, folder.resolve("replica"), StandardCopyOption.ATOMIC_MOVE);
    }

    static class Listener {
        final List<Long> waits = new ArrayList<>();
        private final ObjectProvider<Litestream> litestream;

        Listener(ObjectProvider<Litestream> litestream) {
            this.litestream = litestream;
        }

        @TransactionalEventListener
        void on(String event) {
            waits.add(litestream
                    .getObject()
                    .databases()
                    .iterator()
                    .next()
                    .statistics()
                    .commitWaits()
                    .count());
        }
    }
}
