package org.litestream4j.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.Locale;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreResult;
import org.sqlite.SQLiteDataSource;

/**
 * Time and memory until the first image of a database lies on a replica in a folder, then a snapshot of it in use, and to
 * restore it from there. Run it with
 * {@code -Xmx64m}.
 *
 * <p>Usage: {@code WholeDatabase FOLDER DATABASE_MB}
 */
public final class WholeDatabase {

    private WholeDatabase() {}

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        int megabytes = Integer.parseInt(args[1]);
        Files.createDirectories(folder);
        Path template = folder.resolve("whole-" + megabytes + ".db");
        if (!Files.exists(template)) {
            OrdersDatabase.create(template, (long) megabytes << 20);
        }
        Path path = folder.resolve("whole.db");
        Path replica = folder.resolve("whole-replica");
        Path restored = folder.resolve("whole-restored.db");
        clean(folder);
        Files.copy(template, path);
        System.out.printf(Locale.ROOT, "disk, sequential write with fsync: %.0f MB/s%n", diskSpeed(folder, 512));

        ReplicaLocation location = ReplicaLocation.of(replica.toUri().toString());
        long start = System.nanoTime();
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database =
                    litestream.register(DatabaseConfig.builder(path, location).build());
            database.sync(Duration.ofMinutes(10));
            report("first image on the replica", start, Files.size(path));
            SQLiteDataSource source = new SQLiteDataSource();
            source.setUrl("jdbc:sqlite:" + path);
            try (Connection connection = database.wrap(source).getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute("CREATE TABLE changed(x)");
                start = System.nanoTime();
                database.snapshot(Duration.ofMinutes(10));
                report("snapshot of the live database on the replica", start, Files.size(path));
            }
        }
        start = System.nanoTime();
        try (ReplicaClient client = Replicas.open(location)) {
            RestoreResult result = Restore.restore(client, restored, RestoreOptions.defaults());
            report("restored", start, result.pages() * result.pageSize());
        }
        long mismatch = Files.mismatch(path, restored);
        System.out.println(mismatch < 0 ? "same bytes" : "DIFFERENT at byte " + mismatch);
        clean(folder);
    }

    private static void report(String what, long start, long bytes) throws IOException {
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(
                Locale.ROOT,
                "%s: %.1f s, %.0f MB/s, resident set at most %s, heap limit %d MB%n",
                what,
                seconds,
                bytes / 1e6 / seconds,
                peakMemory(),
                Runtime.getRuntime().maxMemory() >> 20);
    }

    private static String peakMemory() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return "unknown";
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .map(line -> line.substring(6).strip())
                .findFirst()
                .orElse("unknown");
    }

    /** In MB per second. */
    private static double diskSpeed(Path folder, int megabytes) throws IOException {
        Path probe = folder.resolve("probe");
        long start = System.nanoTime();
        try (FileChannel channel = FileChannel.open(
                probe, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
            for (int i = 0; i < megabytes; i++) {
                buffer.clear();
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
            }
            channel.force(true);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        Files.delete(probe);
        return megabytes * 1.048576 / seconds;
    }

    private static void clean(Path folder) throws IOException {
        for (String name : new String[] {"whole.db", "whole.db-wal", "whole.db-shm", "whole-restored.db"}) {
            Files.deleteIfExists(folder.resolve(name));
        }
        CommitThroughput.delete(folder.resolve("whole-replica"));
        CommitThroughput.delete(folder.resolve(".whole.db-litestream"));
    }
}
