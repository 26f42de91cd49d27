package org.litestream4j.crash;

import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.stream.Collectors;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreTarget;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.History;
import org.litestream4j.testing.Truth;

/**
 * The program that {@link CrashPoints} interferes with: {@code CrashPointChild role folder synchronous name [folder of
 * replica and log]}. It retries a step that fails. {@link CrashPointLog} receives each attempt and its outcome.
 */
final class CrashPointChild {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final int TRIES = 3;

    enum Role {
        /** Engine and writer in one process. */
        APPLICATION,
        /** The same with a checkpoint round after each commit. */
        CHECKPOINTS,
        /** An engine without a writer. */
        ENGINE,
        /** A writer without an engine. */
        FOREIGN_WRITER,
        /** An application that restores its database in place. */
        RESTORE_IN_PLACE,
        /** An application that commits until it is told to {@code stop}, {@code pause}, {@code resume}, or {@code hold} still after a checkpoint. */
        LOAD,
        /** A writer without an engine that commits and checkpoints until it is killed. */
        FOREIGN_LOAD,
        /** A writer without an engine that begins the WAL anew twice, and waits to be killed. */
        WAL_RESETS,
        /** An application that checks what it finds, and goes on. */
        CONTINUATION
    }

    private interface Step<T> {
        T run() throws Exception;
    }

    private final Path folder;
    private final Path outside;
    private final String synchronous;
    private final String name;
    private final FileChannel log;
    private int attempts;

    private CrashPointChild(Path folder, Path outside, String synchronous, String name, FileChannel log) {
        this.folder = folder;
        this.outside = outside;
        this.synchronous = synchronous;
        this.name = name;
        this.log = log;
    }

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[1]);
        Path outside = args.length > 4 ? Path.of(args[4]) : folder;
        try (FileChannel log = FileChannel.open(
                outside.resolve(CrashPointLog.NAME), StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            CrashPointChild child = new CrashPointChild(folder, outside, args[2], args[3], log);
            Role role = Role.valueOf(args[0]);
            switch (role) {
                case FOREIGN_WRITER -> child.writeForeign();
                case ENGINE -> child.replicate();
                case LOAD -> child.load();
                case FOREIGN_LOAD -> child.loadForeign();
                case WAL_RESETS -> child.resetWal();
                case CONTINUATION -> new CrashPointCheck(folder, outside, role).continuesWithNewEngine();
                default -> child.runApplication(role);
            }
        }
        System.out.println("child: ended");
        System.exit(0);
    }

    static DatabaseConfig config(Path folder, Path outside, Role role) {
        DatabaseConfig.Builder config = EngineFixture.config(folder.resolve("app.db"), outside.resolve("replica"));
        if (role == Role.CHECKPOINTS) {
            config.checkpointInterval(Duration.ofMillis(1)).minCheckpointPages(1);
            config.walLimitPages(12);
        } else if (role == Role.LOAD) {
            config.checkpointInterval(Duration.ofMillis(20)).minCheckpointPages(10);
            config.walLimitPages(100);
        }
        return config.syncInterval(Duration.ofMillis(1)).build();
    }

    private void runApplication(Role role) throws Exception {
        try (Litestream litestream = EngineFixture.litestream()) {
            ManagedDatabase database = retry(() -> litestream.register(config(folder, outside, role)));
            try (Connection connection = retry(() -> EngineFixture.open(database))) {
                execute(connection, "PRAGMA synchronous=" + synchronous);
                awaitGo();
                commit(connection);
                sync(database);
                commit(connection);
                commit(connection);
                sync(database);
                if (role == Role.RESTORE_IN_PLACE) {
                    restoreInPlace(database, connection);
                } else if (role == Role.CHECKPOINTS) {
                    awaitCheckpoints(database, 2);
                }
                commit(connection);
                retry(() -> note(database, connection));
            }
        }
    }

    private void restoreInPlace(ManagedDatabase database, Connection connection) throws Exception {
        Txid target = database.status().replicated();
        commit(connection);
        sync(database);
        note("B " + String.join(",", History.of(connection)));
        retry(() -> database.restoreInPlace(
                RestoreOptions.builder().target(RestoreTarget.txid(target)).build(), TIMEOUT));
        note("E");
    }

    private static void awaitCheckpoints(ManagedDatabase database, long count) throws InterruptedException {
        long end = System.nanoTime() + TIMEOUT.toNanos();
        while (checkpoints(database) < count && System.nanoTime() < end) {
            Thread.sleep(1);
        }
    }

    private static long checkpoints(ManagedDatabase database) {
        return database.statistics().checkpoints().values().stream()
                .mapToLong(tally -> tally.count() - tally.failures())
                .sum();
    }

    private void replicate() throws Exception {
        try (Litestream litestream = EngineFixture.litestream()) {
            ManagedDatabase database = retry(() -> litestream.register(config(folder, outside, Role.ENGINE)));
            acknowledgeRows(database);
            awaitGo(); // the survivor has committed meanwhile
            acknowledgeRows(database);
            retry(() -> database.snapshot(TIMEOUT));
        }
    }

    private void acknowledgeRows(ManagedDatabase database) throws Exception {
        String rows = rows();
        retry(() -> {
            database.sync(TIMEOUT);
            note("S " + rows);
            return rows;
        });
    }

    private static void awaitGo() throws IOException {
        System.out.println("child: ready");
        int ignored = System.in.read();
    }

    /** Returns the number of rows that SQLite shows. */
    private String rows() throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("app.db"))) {
            execute(connection, "PRAGMA wal_autocheckpoint=0");
            return Long.toString(query(connection, "SELECT n FROM total"));
        }
    }

    private void writeForeign() throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("app.db"))) {
            execute(connection, "PRAGMA busy_timeout=5000", "PRAGMA synchronous=" + synchronous);
            awaitGo();
            commit(connection);
            commit(connection);
            execute(connection, "PRAGMA busy_timeout=50");
            retry(() -> query(connection, "PRAGMA wal_checkpoint(PASSIVE)"));
            execute(connection, "PRAGMA busy_timeout=5000");
            commit(connection);
            execute(connection, "PRAGMA busy_timeout=50");
            retry(() -> query(connection, "PRAGMA wal_checkpoint(TRUNCATE)"));
            execute(connection, "PRAGMA busy_timeout=5000");
            commit(connection);
        }
    }

    private void load() throws Exception {
        try (Litestream litestream = EngineFixture.litestream()) {
            ManagedDatabase database = litestream.register(config(folder, outside, Role.LOAD));
            try (Connection connection = EngineFixture.open(database)) {
                execute(connection, "PRAGMA synchronous=" + synchronous);
                BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
                System.out.println("child: ready");
                boolean paused = false;
                while (true) {
                    String order = in.ready() ? in.readLine() : "";
                    if (order.equals("stop")) {
                        break;
                    } else if (order.equals("pause")) {
                        database.pause(TIMEOUT);
                        paused = true;
                    } else if (order.equals("resume")) {
                        database.resume();
                        paused = false;
                    } else if (order.equals("hold")) {
                        long checkpoints = checkpoints(database);
                        commit(connection);
                        sync(database);
                        awaitCheckpoints(database, checkpoints + 1);
                        System.out.println("child: holding");
                        in.readLine();
                    }
                    commit(connection);
                    if (paused) {
                        query(connection, "PRAGMA wal_checkpoint(PASSIVE)");
                    } else if (attempts % 3 == 0) {
                        sync(database);
                    }
                    Thread.sleep(2);
                }
            }
        }
    }

    private void loadForeign() throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("app.db"))) {
            execute(connection, "PRAGMA busy_timeout=5000", "PRAGMA synchronous=" + synchronous);
            System.out.println("child: ready");
            while (true) {
                commit(connection);
                if (attempts >= 12 && attempts % 3 == 0) { // the WAL does not grow then, which would force all inodes
                    query(connection, "PRAGMA wal_checkpoint(PASSIVE)");
                }
                Thread.sleep(2);
            }
        }
    }

    /** Commits, and after a signal resets the WAL twice, so that only the database file holds the first commits. */
    private void resetWal() throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("app.db"))) {
            execute(connection, "PRAGMA wal_autocheckpoint=0", "PRAGMA synchronous=" + synchronous);
            for (int i = 0; i < 5; i++) {
                commit(connection);
            }
            awaitGo();
            for (int i = 0; i < 2; i++) {
                query(connection, "PRAGMA wal_checkpoint(PASSIVE)");
                commit(connection);
            }
            System.out.println("child: done");
            Thread.sleep(TIMEOUT.toMillis());
        }
    }

    private void commit(Connection connection) throws Exception {
        retry(() -> {
            String attempt = name + "-" + ++attempts;
            note("I " + attempt);
            History.append(connection, attempt);
            note("C " + attempt);
            return attempt;
        });
    }

    private void sync(ManagedDatabase database) throws Exception {
        String attempt = name + "-" + attempts;
        retry(() -> {
            database.sync(TIMEOUT);
            note("R " + attempt);
            return attempt;
        });
    }

    /** Logs the content of each page at a replicated transaction. */
    private Txid note(ManagedDatabase database, Connection connection) throws Exception {
        database.sync(TIMEOUT); // an engine that starts needs the write lock for a moment
        execute(connection, "BEGIN IMMEDIATE");
        try {
            database.sync(TIMEOUT);
            Truth truth = Truth.of(database.config().path());
            Txid txid = database.status().captured();
            note("T " + txid + " " + truth.pageSize() + " "
                    + truth.crcs().stream().map(Long::toHexString).collect(Collectors.joining(",")));
            return txid;
        } finally {
            execute(connection, "ROLLBACK");
        }
    }

    /** Retries a step: the failed call itself fails once, and its consequences may fail the step once more. */
    private static <T> T retry(Step<T> step) throws Exception {
        for (int i = 1; ; i++) {
            try {
                return step.run();
            } catch (Exception e) {
                System.out.println("child: failed: " + e);
                if (i == TRIES) {
                    throw e;
                }
            }
        }
    }

    private void note(String line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.US_ASCII));
        log.write(bytes); // one call: whole or not at all
    }
}
