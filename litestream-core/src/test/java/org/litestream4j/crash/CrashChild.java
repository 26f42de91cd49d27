package org.litestream4j.crash;

import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.testing.SqliteFixture;
import org.litestream4j.testing.Truth;
import org.slf4j.LoggerFactory;

/**
 * The program that {@link CrashHarness} kills: writers under an engine. Each tells in a log what it was told committed
 * ({@code C writer number}) and replicated ({@code R writer number}), and now and then what each page holds at a replicated
 * transaction ({@code T txid page-size crcs}). Ends in good order after a line on its input.
 */
final class CrashChild {

    static final int WRITERS = 3;

    /** A writer keeps so many of its rows. */
    static final int KEPT = 200;

    private final Random random;
    private final ManagedDatabase database;
    private final DataSource source;
    private final FileChannel log;
    private volatile boolean stopped;

    private CrashChild(Random random, ManagedDatabase database, DataSource source, FileChannel log) {
        this.random = random;
        this.database = database;
        this.source = source;
        this.log = log;
    }

    public static void main(String[] args) throws Exception {
        reportImages();
        Path folder = Path.of(args[0]);
        Random random = new Random(Long.parseLong(args[1]));
        Path path = folder.resolve("app.db");
        try (FileChannel log = FileChannel.open(
                        folder.resolve("writers.log"), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                Litestream litestream = Litestream.builder()
                        .watchInterval(Duration.ofMillis(200))
                        .build()) {
            ManagedDatabase database = litestream.register(config(path, folder.resolve("replica"), random));
            System.out.println("child: registered");
            CrashChild child = new CrashChild(random, database, database.wrap(SqliteFixture.dataSource(path)), log);
            List<Thread> threads = child.begin();
            int ignored = System.in.read();
            child.stopped = true;
            for (Thread thread : threads) {
                thread.join();
            }
        }
        System.out.println("child: closed");
    }

    /** Full images, and where there was no need for one, stand in the engine's log; {@link CrashHarness} counts them. */
    private static void reportImages() {
        var engine = (ch.qos.logback.classic.Logger) LoggerFactory.getLogger("org.litestream4j");
        engine.setLevel(Level.INFO);
        var appender = new AppenderBase<ILoggingEvent>() {
            @Override
            protected void append(ILoggingEvent event) {
                if (event.getMessage().startsWith("database captured in full")) {
                    System.out.println("\nchild: full image");
                } else if (event.getMessage().startsWith("capture continues where it ended")) {
                    System.out.println("\nchild: continues");
                }
            }
        };
        appender.setContext(engine.getLoggerContext());
        appender.start();
        engine.addAppender(appender);
    }

    private static DatabaseConfig config(Path path, Path replica, Random random) {
        return DatabaseConfig.builder(path, ReplicaLocation.of(replica.toUri().toString()))
                .syncInterval(Duration.ofMillis(1 + random.nextInt(100)))
                .checkpointInterval(Duration.ofMillis(1_000 + random.nextInt(100)))
                .minCheckpointPages(20 + random.nextInt(2_000))
                .walLimitPages(2_020 + random.nextInt(2_000))
                .levels(List.of(Duration.ofSeconds(1), Duration.ofSeconds(5), Duration.ofSeconds(15)))
                .level0Retention(Duration.ofMinutes(2))
                .snapshotInterval(Duration.ofSeconds(10))
                .snapshotRetention(Duration.ofSeconds(30))
                .build();
    }

    private List<Thread> begin() throws SQLException {
        try (Connection connection = source.getConnection()) {
            execute(
                    connection,
                    "CREATE TABLE IF NOT EXISTS t(writer INTEGER, number INTEGER, v BLOB, PRIMARY KEY(writer, number))",
                    "CREATE TABLE IF NOT EXISTS filler(id INTEGER PRIMARY KEY, v BLOB)");
        }
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < WRITERS; i++) {
            int writer = i;
            Random own = new Random(random.nextLong());
            threads.add(new Thread(() -> write(writer, own)));
        }
        threads.forEach(Thread::start);
        return threads;
    }

    private void write(int writer, Random own) {
        try (Connection connection = source.getConnection()) {
            execute(connection, "PRAGMA synchronous=" + (own.nextBoolean() ? "NORMAL" : "FULL"));
            long number = query(connection, "SELECT coalesce(max(number), 0) FROM t WHERE writer = " + writer);
            while (!stopped) {
                number++;
                insert(connection, writer, number);
                log("C " + writer + " " + number);
                if (own.nextInt(20) == 0) {
                    database.sync(Duration.ofSeconds(30));
                    log("R " + writer + " " + number);
                }
                disturb(connection, writer, own);
            }
        } catch (Exception e) {
            e.printStackTrace(System.out);
            System.out.println("child: writer failed");
            Runtime.getRuntime().halt(3);
        }
    }

    static void insert(Connection connection, int writer, long number) throws SQLException {
        execute(connection, "BEGIN IMMEDIATE");
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (?, ?, ?)")) {
            insert.setInt(1, writer);
            insert.setLong(2, number);
            insert.setBytes(3, value(writer, number));
            insert.executeUpdate();
        }
        execute(connection, "DELETE FROM t WHERE writer = " + writer + " AND number <= " + (number - KEPT), "COMMIT");
    }

    /** What a row must hold. */
    static byte[] value(int writer, long number) {
        Random random = new Random(writer * 1_000_003L + number);
        byte[] value = new byte[random.nextInt(20) == 0 ? random.nextInt(20_000) : random.nextInt(300)];
        random.nextBytes(value);
        return value;
    }

    private void disturb(Connection connection, int writer, Random own) throws Exception {
        switch (own.nextInt(200)) {
            case 0 -> execute(connection, "VACUUM");
            case 1 ->
                execute(
                        connection,
                        "PRAGMA cache_size=10",
                        "BEGIN IMMEDIATE",
                        "INSERT INTO filler(v) SELECT randomblob(3000) FROM t LIMIT 150",
                        "DELETE FROM filler WHERE id % 3 = 0",
                        own.nextBoolean() ? "COMMIT" : "ROLLBACK",
                        "PRAGMA cache_size=-2000");
            case 2 -> execute(connection, "DELETE FROM filler");
            case 3 -> note(connection);
            case 4, 5, 6 -> Thread.sleep(own.nextInt(100));
            default -> {
                if (writer > 0) {
                    Thread.sleep(own.nextInt(5));
                }
            }
        }
    }

    private void note(Connection connection) throws Exception {
        database.sync(Duration.ofSeconds(30)); // after a start the engine needs the write lock once
        execute(connection, "BEGIN IMMEDIATE");
        database.sync(Duration.ofSeconds(30));
        Truth truth = Truth.of(database.config().path());
        log("T " + database.status().captured() + " " + truth.pageSize() + " "
                + truth.crcs().stream().map(Long::toHexString).collect(Collectors.joining(",")));
        execute(connection, "ROLLBACK");
    }

    private void log(String line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.US_ASCII));
        log.write(bytes); // one call: whole or not at all
    }
}
