package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.function.LongPredicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.litestream4j.ltx.Txid;

/** Changes that fail half way, at each page in turn, and are rolled back by SQLite. */
class StandbyFileTest {

    private static final Txid OLD = new Txid(7);
    private static final Txid NEW = new Txid(8);

    @TempDir
    Path temp;

    private Path standby;

    @BeforeEach
    void makeStandby() throws Exception {
        standby = temp.resolve("standby #1?.db"); // characters that mean something in a URI
        image(standby, 1024, 40);
        int counter = toStandby(standby, Files.readAllBytes(standby), false, OLD);
        StandbyPosition position = new StandbyPosition(standby);
        position.announce(OLD, counter);
        position.record();
    }

    private static void image(Path file, int pageSize, int rows) throws Exception {
        Path plain = file.resolveSibling("plain.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + plain);
                Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA page_size=" + pageSize);
            statement.execute("BEGIN");
            statement.execute("CREATE TABLE t(x)");
            for (int i = 0; i < rows; i++) {
                statement.execute("INSERT INTO t VALUES (randomblob(700))");
            }
            statement.execute("COMMIT");
        }
        Files.move(plain, file);
    }

    /** The change counter that it has then. */
    private static int toStandby(Path file, byte[] previous, boolean newSchema, Txid txid) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        StandbyHeader.write(bytes, previous, newSchema, txid, bytes.length / StandbyHeader.pageSize(bytes));
        Files.write(file, bytes);
        return StandbyHeader.changeCounter(bytes);
    }

    private StandbyFile open() throws IOException {
        return StandbyFile.open(standby, Duration.ofMillis(100), () -> false, "replica")
                .orElseThrow();
    }

    @ParameterizedTest
    @CsvSource({"1024, 40", "1024, 10", "1024, 70", "4096, 40", "512, 60"})
    void apply_failsAtEachPage_isRolledBackWhole(int pageSize, int rows) throws Exception {
        byte[] before = Files.readAllBytes(standby);
        Path side = temp.resolve("side.db");
        image(side, pageSize, rows);
        long pages = Files.size(side) / pageSize;
        StandbyUpdate image = new StandbyUpdate.Image(side, pageSize, pages);
        for (int failAt = 1; failAt <= pages; failAt++) {
            try (StandbyFile file = open()) {
                Failing update = new Failing(image, failAt);
                assertThatThrownBy(() -> file.apply(update, NEW)).hasMessage("half way");
            }
            assertThat(RollbackJournal.isHot(standby)).isTrue();
            try (StandbyFile file = open()) {
                assertThat(file.txid()).isEqualTo(OLD);
            }
            assertThat(Arrays.mismatch(Files.readAllBytes(standby), before))
                    .as("page " + failAt)
                    .isEqualTo(-1);
        }
        try (StandbyFile file = open()) {
            assertThat(file.apply(image, NEW)).isPositive();
            assertThat(file.pageSize()).isEqualTo(pageSize);
        }
        toStandby(side, before, true, NEW);
        assertThat(standby).hasSameBinaryContentAs(side);
        try (StandbyFile file = open()) {
            assertThat(file.txid()).isEqualTo(NEW);
        }
        assertThat(temp.toFile().list())
                .containsExactlyInAnyOrder(
                        standby.getFileName().toString(), standby.getFileName() + "-txid", "side.db");
    }

    @Test
    void open_crashBetweenCommitAndRecord_isAtTheNewState() throws Exception {
        int counter = toStandby(standby, Files.readAllBytes(standby), true, NEW);
        new StandbyPosition(standby).announce(NEW, counter);
        try (StandbyFile file = open()) {
            assertThat(file.txid()).isEqualTo(NEW);
        }
        assertThat(new StandbyPosition(standby).recorded()).contains(NEW);
        assertThat(new StandbyPosition(standby).announced()).isEmpty();
    }

    @Test
    void open_crashBeforeCommit_isAtTheOldState() throws Exception {
        new StandbyPosition(standby).announce(NEW, 4711);
        Files.write(RollbackJournal.of(standby), new byte[512]); // not sealed
        try (StandbyFile file = open()) {
            assertThat(file.txid()).isEqualTo(OLD);
        }
        assertThat(new StandbyPosition(standby).announced()).isEmpty();
        assertThat(RollbackJournal.of(standby)).doesNotExist();
    }

    @Test
    void open_anyWriteOfSqlite_isNoStandby() throws Exception {
        try (Connection connection = DriverManager.getConnection(
                        org.litestream4j.internal.files.SqlitePaths.jdbcUrl(standby, "mode=rw"));
                Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO t VALUES (1)");
        }
        assertThat(StandbyFile.open(standby, Duration.ofMillis(100), () -> false, "replica"))
                .isEmpty();
    }

    @Test
    void open_withoutRecord_isNoStandby() throws Exception {
        Files.delete(Path.of(standby + "-txid"));
        assertThat(StandbyFile.open(standby, Duration.ofMillis(100), () -> false, "replica"))
                .isEmpty();
        Files.write(standby, new byte[10]);
        assertThat(StandbyFile.open(standby, Duration.ofMillis(100), () -> false, "replica"))
                .isEmpty();
    }

    @Test
    void apply_anySequence_changesCounterAndCookieAndNeverBack() throws Exception {
        long seed = System.nanoTime();
        System.out.println("standby counters: seed " + seed);
        Random random = new Random(seed);
        Path one = temp.resolve("one.db");
        image(one, 1024, 30);
        Path two = temp.resolve("two.db");
        image(two, 1024, 35);
        byte[] header = Files.readAllBytes(standby);
        for (int i = 0; i < 60; i++) {
            Path side = random.nextBoolean() ? one : two;
            StandbyUpdate update = new StandbyUpdate.Image(side, 1024, Files.size(side) / 1024);
            Txid to = new Txid(1L + random.nextInt(3)); // TXIDs come again when a replica begins anew
            try (StandbyFile file = open()) {
                file.apply(update, to);
            }
            byte[] next = Files.readAllBytes(standby);
            assertThat(field(next, 24)).isGreaterThan(field(header, 24)).isEqualTo(field(next, 92));
            assertThat(field(next, 40)).isGreaterThan(field(header, 40));
            assertThat(StandbyHeader.isAt(next, to)).isTrue();
            header = next;
        }
    }

    private static int field(byte[] header, int at) {
        return ByteBuffer.wrap(header).getInt(at);
    }

    /** Thousands of small transactions, too. */
    @Test
    void open_manyWritesOfSqlite_isNoStandby() throws Exception {
        try (Connection connection = DriverManager.getConnection(
                        org.litestream4j.internal.files.SqlitePaths.jdbcUrl(standby, "mode=rw"));
                Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA synchronous=OFF");
            statement.execute("PRAGMA journal_mode=MEMORY");
            for (int i = 0; i < 300; i++) {
                statement.execute("INSERT INTO t VALUES (1)");
                byte[] header = new byte[StandbyHeader.SIZE];
                ByteBuffer.wrap(header).put(Files.readAllBytes(standby), 0, StandbyHeader.SIZE);
                assertThat(StandbyHeader.isAt(header, OLD)).isFalse();
            }
        }
    }

    @Test
    void open_standbyOfAnEarlierRelease_goesOn() throws Exception {
        byte[] bytes = Files.readAllBytes(standby);
        int mixed = 0x18c9aec4; // what it made of TXID 7
        ByteBuffer.wrap(bytes).putInt(24, mixed).putInt(92, mixed);
        Files.write(standby, bytes);
        assertThat(open().txid()).isEqualTo(OLD);
    }

    /** Fails when it is to give a page to be written. */
    private static final class Failing implements StandbyUpdate {

        private final StandbyUpdate update;
        private final long failAt;
        private int visits;

        Failing(StandbyUpdate update, long failAt) {
            this.update = update;
            this.failAt = failAt;
        }

        @Override
        public int pageSize() {
            return update.pageSize();
        }

        @Override
        public long commit() {
            return update.commit();
        }

        @Override
        public void forEach(LongPredicate wanted, Visitor visitor) throws IOException {
            boolean writing = ++visits == 3; // page 1, then the old pages for the journal
            update.forEach(wanted, (pgno, page) -> {
                if (writing && pgno >= failAt) {
                    throw new IOException("half way");
                }
                visitor.page(pgno, page);
            });
            if (writing) {
                throw new IOException("half way");
            }
        }
    }
}
