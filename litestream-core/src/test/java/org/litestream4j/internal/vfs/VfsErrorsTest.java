package org.litestream4j.internal.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.internal.vfs.VfsFixture.execute;
import static org.litestream4j.internal.vfs.VfsFixture.open;
import static org.litestream4j.internal.vfs.VfsFixture.rows;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a failing source is to a connection that was opened by a plain URL. */
class VfsErrorsTest {

    private static final int ROWS = 20_000;

    @TempDir
    Path folder;

    private final States states = new States();
    private String url = "";

    @BeforeEach
    void registers() throws Exception {
        try (Connection primary = VfsFixture.primary(folder.resolve("a.db"), ROWS)) {
            states.add(primary);
        }
        url = VfsFixture.register(states.database());
    }

    /** What a source may throw. */
    private enum Failure {
        IO,
        RUNTIME,
        STACK,
        MEMORY;

        private Throwable thrown() {
            return switch (this) {
                case IO -> new IOException("damaged");
                case RUNTIME -> new IllegalStateException("bug");
                case STACK -> new StackOverflowError();
                case MEMORY -> new OutOfMemoryError();
            };
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void sneak(Throwable thrown) throws E {
        throw (E) thrown;
    }

    /** With IOERR, SQLite would end the transaction, and the driver would not notice. */
    @ParameterizedTest
    @EnumSource
    void failureInATransaction_keepsItsState(Failure failure) throws Exception {
        try (Connection replica = open(url)) {
            execute(replica, "PRAGMA cache_size=10");
            replica.setAutoCommit(false);
            assertThat(rows(replica, "SELECT count(*) FROM t")).isEqualTo("" + ROWS);
            states.fault = offset -> VfsErrorsTest.<RuntimeException>sneak(failure.thrown());
            assertThatThrownBy(() -> rows(replica, "SELECT sum(length(b)) FROM t"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("SQLITE_BUSY");
            states.fault = offset -> {};
            deleteAll();
            assertThat(rows(replica, "SELECT count(*) FROM t")).isEqualTo("" + ROWS);
            replica.rollback();
            assertThat(rows(replica, "SELECT count(*) FROM t")).isEqualTo("0");
            replica.commit();
        }
        assertThat(states.pinned).hasValue(0);
    }

    @Test
    void failureOfAnAttachedReplica_keepsTheTransactionOfTheLocalDatabase() throws Exception {
        try (Connection local = open("jdbc:sqlite:" + folder.resolve("local.db"))) {
            execute(local, "CREATE TABLE l(a)");
            String name = url.substring("jdbc:sqlite:".length(), url.indexOf("&open_mode"));
            execute(local, "ATTACH '" + name + "&mode=ro' AS r", "PRAGMA r.cache_size=10");
            local.setAutoCommit(false);
            execute(local, "INSERT INTO l VALUES (1)");
            states.fault = offset -> {
                throw new IOException("damaged");
            };
            assertThatThrownBy(() -> rows(local, "SELECT sum(length(b)) FROM r.t"))
                    .hasMessageContaining("SQLITE_BUSY");
            states.fault = offset -> {};
            execute(local, "INSERT INTO l SELECT a FROM r.t WHERE a = 2");
            local.commit();
            assertThat(rows(local, "SELECT a FROM l")).isEqualTo("1\n2");
        }
    }

    private void deleteAll() throws Exception {
        try (Connection primary = open("jdbc:sqlite:" + folder.resolve("a.db"))) {
            execute(primary, "DELETE FROM t");
            states.add(primary);
        }
    }

    @ParameterizedTest
    @EnumSource
    void failure_isAnErrorAndTheNextStatementWorks(Failure failure) throws Exception {
        for (int at : new int[] {1, 5, 200}) {
            try (Connection replica = open(url)) {
                execute(replica, "PRAGMA cache_size=10");
                AtomicInteger reads = new AtomicInteger();
                states.fault = offset -> {
                    if (reads.incrementAndGet() == at) {
                        VfsErrorsTest.<RuntimeException>sneak(failure.thrown());
                    }
                };
                assertThatThrownBy(() -> rows(replica, "SELECT sum(length(b)) FROM t"))
                        .isInstanceOf(SQLException.class)
                        .hasMessageContaining("IOERR_READ");
                assertThat(LastFailure.take()).isInstanceOf(failure.thrown().getClass());
                assertThat(rows(replica, "SELECT count(*) FROM t")).isEqualTo("" + ROWS);
            }
        }
        assertThat(states.pinned).hasValue(0);
    }

    @Test
    void interruptedThread_readsOn() throws Exception {
        try (Connection replica = open(url)) {
            Thread.currentThread().interrupt();
            assertThat(rows(replica, "SELECT count(*) FROM t")).isEqualTo("" + ROWS);
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"immutable=1", "nolock=1", "immutable=0&nolock=1", "cache=shared"})
    void parametersThatDropTheLock_areRefused(String parameter) {
        assertThatThrownBy(() -> open(url + "&" + parameter)).hasMessageContaining("CANTOPEN");
        assertThat(LastFailure.take()).hasMessageContaining("remove it from the URI");
    }

    @Test
    void fileOfSeveralConnections_isRefused() throws Exception {
        OpenFiles files = new OpenFiles();
        OpenFile file = new OpenFile("app", states.database(), new PageOne(), true);
        files.belongs(file, 1);
        file.lock();
        file.unlock();
        files.belongs(file, 2);
        assertThat(files.ofConnection(1)).isNull();
        assertThat(files.ofConnection(2)).isSameAs(file);
        assertThatThrownBy(file::lock).hasMessageContaining("shared cache");
    }

    @Test
    void unknownName_isRefused() {
        assertThatThrownBy(() -> open("jdbc:sqlite:file:nothing?vfs=litestream&open_mode=1"))
                .hasMessageContaining("CANTOPEN");
        assertThat(LastFailure.take()).hasMessageContaining("no read replica named nothing is open");
    }

    @Test
    void shortRead_isAnErrorAndNeverZeros() throws Exception {
        try (Connection replica = open(url)) {
            rows(replica, "SELECT count(*) FROM t WHERE a = 1");
            States.State whole = states.state(0);
            States cut = new States();
            cut.add(java.util.Arrays.copyOf(whole.image, whole.image.length / 2 / 4096 * 4096));
            // The commit record promises more pages than there are.
            org.litestream4j.internal.pages.PinnedState half = cut.pin();
            org.litestream4j.internal.pages.PageSource source = new org.litestream4j.internal.pages.PageSource() {
                @Override
                public org.litestream4j.internal.pages.PinnedState pin() {
                    return new org.litestream4j.internal.pages.PinnedState() {
                        @Override
                        public org.litestream4j.internal.pages.StateInfo info() {
                            return whole.info;
                        }

                        @Override
                        public int read(long offset, java.nio.ByteBuffer target) throws IOException {
                            return half.read(offset, target);
                        }

                        @Override
                        public void release() {}
                    };
                }

                @Override
                public org.litestream4j.internal.pages.StateInfo latest() {
                    return whole.info;
                }
            };
            try (Connection broken = open(VfsFixture.register(new ReplicaDatabase(source, states)))) {
                assertThatThrownBy(() -> rows(broken, "SELECT sum(length(b)) FROM t"))
                        .hasMessageContaining("IOERR_READ");
                assertThat(LastFailure.take()).hasMessageContaining("is missing");
            }
        }
    }
}
