package org.litestream4j.internal.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.internal.vfs.VfsFixture.execute;
import static org.litestream4j.internal.vfs.VfsFixture.open;
import static org.litestream4j.internal.vfs.VfsFixture.rows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.internal.pages.PageSource;
import org.litestream4j.internal.pages.PinnedState;
import org.litestream4j.internal.pages.StateInfo;

/**
 * Readers while a primary in WAL mode commits, grows, shrinks and changes its schema: each result is of one committed
 * state. The controls leave out one thing each, and show that these readers notice.
 */
class SnapshotTest {

    private static final int READERS = 4;

    @TempDir
    Path folder;

    private final States states = new States();
    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
    private final AtomicLong right = new AtomicLong();

    /** Sums of the rows, by the number of the commit. */
    private final Map<Long, String> sums = new ConcurrentHashMap<>();

    private volatile boolean isDone;

    @Test
    void eachResult_isOfOneState() throws Exception {
        run(VfsFixture.register(states.database()), Duration.ofSeconds(2), false);
        assertThat(wrong).isEmpty();
        assertThat(right).hasValueGreaterThan(10);
        assertThat(states.pinned).hasValue(0);
    }

    @Test
    @Tag("soak")
    void eachResult_isOfOneStateForAMinute() throws Exception {
        run(VfsFixture.register(states.database()), Duration.ofSeconds(60), false);
        assertThat(wrong).isEmpty();
        System.out.println(right + " results of " + states.latest().txid());
    }

    @Test
    void changeCounterOfThePrimary_givesWrongResults() throws Exception {
        PageOne experiment = new PageOne() {
            @Override
            void patch(ByteBuffer bytes, long offset, int changeCounter, int schemaCookie) {
                put(bytes, offset, 18, 0x01010000, 2);
            }
        };
        ReplicaVfs vfs = VfsFixture.vfs("litestream-counter", true, experiment);
        run(VfsFixture.register(vfs, "litestream-counter", states.database()), Duration.ofSeconds(60), true);
        assertThat(wrong).isNotEmpty();
    }

    @Test
    void statesThatMoveWithinATransaction_giveWrongResults() throws Exception {
        ReplicaDatabase moving = new ReplicaDatabase(new Moving(states), states);
        run(VfsFixture.register(moving), Duration.ofSeconds(60), true);
        assertThat(wrong).isNotEmpty();
    }

    @Test
    void journalModeOfThePrimary_cannotBeOpened() throws Exception {
        PageOne experiment = new PageOne() {
            @Override
            void patch(ByteBuffer bytes, long offset, int changeCounter, int schemaCookie) {}
        };
        ReplicaVfs vfs = VfsFixture.vfs("litestream-wal", true, experiment);
        try (Connection primary = VfsFixture.primary(folder.resolve("a.db"), 1)) {
            states.add(primary);
        }
        try (Connection replica = open(VfsFixture.register(vfs, "litestream-wal", states.database()))) {
            assertThatThrownBy(() -> rows(replica, "SELECT * FROM t")).hasMessageContaining("CANTOPEN");
        }
    }

    @Test
    void schemaCookieOfThePrimary_readsWithTheWrongSchema() throws Exception {
        PageOne experiment = new PageOne() {
            @Override
            void patch(ByteBuffer bytes, long offset, int changeCounter, int schemaCookie) {
                put(bytes, offset, 18, 0x01010000, 2);
                put(bytes, offset, 24, changeCounter, 4);
            }
        };
        ReplicaVfs vfs = VfsFixture.vfs("litestream-cookie", true, experiment);
        for (String order :
                new String[] {"CREATE TABLE x(v); CREATE TABLE y(v)", "CREATE TABLE y(v); CREATE TABLE x(v)"}) {
            try (Connection primary = open("jdbc:sqlite:" + folder.resolve(order.replaceAll("\\W", "")))) {
                execute(primary, order.split("; "));
                execute(primary, "INSERT INTO x VALUES ('x')", "INSERT INTO y VALUES ('y')");
                states.add(primary);
            }
        }
        PageSource first = states.state(0);
        PageSource second = states.state(1);
        PageSource[] present = {first};
        PageSource both = new PageSource() {
            @Override
            public PinnedState pin() throws IOException {
                return present[0].pin();
            }

            @Override
            public StateInfo latest() {
                return present[0].latest();
            }
        };
        ReplicaDatabase database = new ReplicaDatabase(both, states);
        try (Connection right = open(VfsFixture.register(database));
                Connection wrong = open(VfsFixture.register(vfs, "litestream-cookie", database))) {
            for (Connection each : List.of(right, wrong)) {
                present[0] = first;
                assertThat(rows(each, "SELECT v FROM x")).isEqualTo("x");
                present[0] = second;
                assertThat(rows(each, "SELECT v FROM x")).isEqualTo(each == right ? "x" : "y");
            }
        }
    }

    private void run(String url, Duration duration, boolean isControl) throws Exception {
        try (Connection primary = VfsFixture.primary(folder.resolve("primary.db"), 300)) {
            execute(primary, "CREATE TABLE commits(n)", "INSERT INTO commits VALUES (0)");
            publish(primary, 0);
            List<Thread> readers = new ArrayList<>();
            for (int i = 0; i < READERS; i++) {
                Thread reader = new Thread(() -> read(url), "reader-" + i);
                reader.start();
                readers.add(reader);
            }
            long end = System.nanoTime() + duration.toNanos();
            for (long n = 1; System.nanoTime() < end && (!isControl || wrong.isEmpty()); n++) {
                commit(primary, n);
                publish(primary, n);
            }
            isDone = true;
            for (Thread reader : readers) {
                reader.join();
            }
        } finally {
            isDone = true;
        }
    }

    private void publish(Connection primary, long n) throws SQLException {
        sums.put(n, rows(primary, "SELECT n, (SELECT count(*) || ' ' || sum(a * length(b)) FROM t) FROM commits"));
        states.add(primary);
    }

    private static void commit(Connection primary, long n) throws SQLException {
        primary.setAutoCommit(false);
        execute(primary, "UPDATE commits SET n = " + n, "UPDATE t SET b = b || 'x' WHERE a % 7 = " + n % 7);
        switch ((int) (n % 40)) {
            case 5 ->
                execute(
                        primary,
                        "INSERT INTO t (a, b) SELECT a + (SELECT max(a) FROM t), printf('new %.*c', a % 90, 'n') FROM t LIMIT 200");
            case 10 -> execute(primary, "CREATE INDEX tb ON t(b)");
            case 15 -> execute(primary, "ALTER TABLE t ADD COLUMN c");
            case 20 -> execute(primary, "DROP INDEX tb", "CREATE TABLE u AS SELECT * FROM t LIMIT 20");
            case 25 -> execute(primary, "DELETE FROM t WHERE a > 300");
            case 32 -> execute(primary, "ALTER TABLE t DROP COLUMN c", "DROP TABLE u");
            case 30 -> execute(primary, "UPDATE t SET b = substr(b, 1, 20)");
            default -> {}
        }
        primary.commit();
        primary.setAutoCommit(true);
        if (n % 40 == 35) {
            execute(primary, "VACUUM");
        }
    }

    private void read(String url) {
        String query = "SELECT n, (SELECT count(*) || ' ' || sum(a * length(b)) FROM t) FROM commits";
        long last = -1;
        int round = 0;
        while (!isDone) {
            try (Connection replica = open(url)) {
                for (int i = 0; i < 50 && !isDone; i++, round++) {
                    String result = rows(replica, query);
                    long n = Long.parseLong(result.substring(0, result.indexOf('|')));
                    if (!result.equals(sums.get(n)) || n < last) {
                        wrong.add(result + " instead of " + sums.get(n) + " after " + last);
                    }
                    last = n;
                    right.incrementAndGet();
                    if (round % 20 == 7) {
                        inTransaction(replica, query);
                    }
                }
            } catch (SQLException e) {
                wrong.add(e.toString());
                return;
            }
        }
    }

    private void inTransaction(Connection replica, String query) throws SQLException {
        replica.setAutoCommit(false);
        String txid = rows(replica, "SELECT litestream_txid() FROM commits");
        String first = rows(replica, query);
        String integrity = rows(replica, "PRAGMA integrity_check");
        if (!integrity.equals("ok")
                || !rows(replica, query).equals(first)
                || !rows(replica, "SELECT litestream_txid()").equals(txid)) {
            wrong.add("in a transaction: " + integrity);
        }
        replica.commit();
        replica.setAutoCommit(true);
    }

    /** A source without isolation: a pinned state reads the newest pages. */
    private record Moving(States states) implements PageSource {

        @Override
        public PinnedState pin() throws IOException {
            PinnedState first = states.pin();
            return new PinnedState() {
                @Override
                public StateInfo info() {
                    return first.info();
                }

                @Override
                public int read(long offset, ByteBuffer target) throws IOException {
                    PinnedState present = states.pin();
                    try {
                        return present.read(offset, target);
                    } finally {
                        present.release();
                    }
                }

                @Override
                public void release() {
                    first.release();
                }
            };
        }

        @Override
        public StateInfo latest() {
            return states.latest();
        }
    }
}
