package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.testing.EngineFixture;
import org.sqlite.SQLiteDataSource;

/** Closing a descriptor of a database drops the locks of connections: none may come between the count and the close. */
class OpenDescriptorsTest extends EngineFixture {

    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

    @Test
    void descriptorStaysOpen_whileAConnectionIsBeingOpened() throws Exception {
        assumeThat(DESCRIPTORS).isDirectory();
        create("CREATE TABLE t(x)");
        CountDownLatch opening = new CountDownLatch(1);
        CountDownLatch closed = new CountDownLatch(1);
        SQLiteDataSource physical = new SQLiteDataSource() {
            @Override
            public Connection getConnection() throws SQLException {
                opening.countDown();
                try {
                    assertThat(closed.await(TIMEOUT.toSeconds(), TimeUnit.SECONDS))
                            .isTrue();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                return super.getConnection();
            }
        };
        physical.setUrl("jdbc:sqlite:" + path);
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            database.sync(TIMEOUT);
            DataSource wrapped = database.wrap(physical);
            CompletableFuture<Connection> opened = CompletableFuture.supplyAsync(() -> {
                try {
                    return wrapped.getConnection();
                } catch (SQLException e) {
                    throw new AssertionError(e);
                }
            });
            assertThat(opening.await(TIMEOUT.toSeconds(), TimeUnit.SECONDS)).isTrue();
            litestream.unregister(database.name());
            assertThat(descriptors()).isOne();
            closed.countDown();
            try (Connection connection = opened.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS)) {
                execute(connection, "INSERT INTO t VALUES (1)");
            }
            Capture.closeUnusedFiles();
            assertThat(descriptors()).isZero();
        }
    }

    private long descriptors() throws IOException {
        long count = 0;
        try (var all = Files.newDirectoryStream(DESCRIPTORS)) {
            for (Path descriptor : all) {
                try {
                    count += Files.readSymbolicLink(descriptor).equals(path.toRealPath()) ? 1 : 0;
                } catch (IOException e) {
                    // closed meanwhile
                }
            }
        }
        return count;
    }
}
