package org.litestream4j.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.ReplicaLocation;
import org.slf4j.LoggerFactory;

/** One database, one replica in a folder, and what the engine logs. */
public abstract class EngineFixture {

    public static final Duration TIMEOUT = Duration.ofSeconds(30);

    /** Levels and snapshots that come only when asked for: no window of so many days begins before 2052. */
    public static final Duration NEVER = Duration.ofDays(10_000);

    @TempDir
    public Path folder;

    public Path path;
    public Path replica;

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private Level levelBefore;

    @BeforeEach
    public void listen() {
        path = folder.resolve("app.db");
        replica = folder.resolve("replica");
        Logger logger = engineLogger();
        levelBefore = logger.getLevel();
        logger.setLevel(Level.INFO);
        logger.setAdditive(false);
        log.setContext(logger.getLoggerContext());
        log.start();
        logger.addAppender(log);
    }

    @AfterEach
    public void listenNoMore() {
        Logger logger = engineLogger();
        logger.detachAppender(log);
        logger.setAdditive(true);
        logger.setLevel(levelBefore);
    }

    private static Logger engineLogger() {
        return (Logger) LoggerFactory.getLogger("org.litestream4j");
    }

    public Path metaPath() {
        return folder.resolve(".app.db-litestream");
    }

    /** Quick captures and rounds, so that a test sees many, and no merges but those it asks for. */
    public DatabaseConfig.Builder config() {
        return config(path, replica);
    }

    public static DatabaseConfig.Builder config(Path database, Path replica) {
        return DatabaseConfig.builder(
                        database, ReplicaLocation.of(replica.toUri().toString()))
                .syncInterval(Duration.ofMillis(10))
                .checkpointInterval(Duration.ofMillis(50))
                .minCheckpointPages(100)
                .walLimitPages(1_000)
                .levels(List.of(NEVER))
                .snapshotInterval(NEVER);
    }

    public static Litestream litestream() {
        return Litestream.builder().watchInterval(Duration.ofMillis(50)).build();
    }

    public static Connection open(ManagedDatabase database) throws SQLException {
        return database.wrap(SqliteFixture.dataSource(database.config().path())).getConnection();
    }

    /** Another connection of this process, which the engine does not know. */
    public Connection plain() throws SQLException {
        return DriverManager.getConnection("jdbc:sqlite:" + path);
    }

    public void create(String... statements) throws SQLException {
        try (Connection connection = plain()) {
            execute(connection, "PRAGMA journal_mode=WAL");
            execute(connection, statements);
        }
    }

    /** The replica cannot be reached: a file is where its folder was. */
    public void replicaGoes() throws IOException {
        Files.move(replica, folder.resolve("away"));
        Files.createFile(replica);
    }

    /** It can be reached again, by a link that takes the place of the file: an upload that comes between finds either. */
    public void replicaReturns() throws IOException {
        Path link = Files.createSymbolicLink(folder.resolve("link"), folder.resolve("away"));
        Files.move(link, replica, StandardCopyOption.ATOMIC_MOVE);
    }

    /** What the engine logged so far. */
    public List<String> logged() {
        return List.copyOf(log.list).stream()
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
    }

    public long images() {
        return logged().stream()
                .filter(line -> line.startsWith("database captured in full"))
                .count();
    }

    /** How often the database was read whole, to capture all of it or what differs from what was captured. */
    public long readings() {
        return logged().stream()
                .filter(line -> line.startsWith("database captured in full") || line.startsWith("database compared"))
                .count();
    }

    /** Compares page by page under the write lock, after all was replicated. */
    public void assertReplicated(ManagedDatabase database, Connection connection) throws Exception {
        database.sync(TIMEOUT); // a start needs the write lock for a moment, too
        execute(connection, "BEGIN IMMEDIATE");
        database.sync(TIMEOUT);
        Truth truth = Truth.of(database.config().path());
        execute(connection, "ROLLBACK");
        PagesOfReplica pages = new PagesOfReplica(
                Path.of(URI.create(database.config().replica().url())));
        assertThat(pages.applyTo(database.status().captured())).isTrue();
        truth.assertSame(Truth.of(pages), "TXID " + pages.txid());
    }

    /** Compares the files, after the last connection was closed. */
    public void assertReplicaIsDatabase() throws Exception {
        Path restored = folder.resolve("restored.db");
        Files.deleteIfExists(restored);
        PagesOfReplica pages = new PagesOfReplica(replica);
        pages.applyAll();
        pages.writeTo(restored);
        assertThat(restored).hasSameBinaryContentAs(path);
        assertThat(SqliteFixture.integrity(restored)).isEqualTo("ok");
    }
}
