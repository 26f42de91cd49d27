package org.litestream4j.crash;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.InPlaceRestoreResult;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.SqliteFixture;
import org.litestream4j.testing.Truth;

/**
 * The program that {@link InPlaceCrashTest} kills: restores in place, one after the other, under {@link InPlaceLoad}. First it
 * compares what the replica restores to with the database, page by page. Tells in a log where it began ({@code S epoch}), what
 * was committed ({@code C writer number restores}), and which restores began ({@code B restores epoch}) and ended ({@code E
 * restores epoch before after}). Ends in good order after a line on its input.
 */
final class InPlaceChild {

    private static final int ITEM_SIZE = 2_000;

    private InPlaceChild() {}

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        Path path = folder.resolve("app.db");
        try (FileChannel log = FileChannel.open(
                        folder.resolve("child.log"), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config(folder));
            DataSource source = database.wrap(SqliteFixture.dataSource(path));
            InPlaceLoad load = new InPlaceLoad(
                    database,
                    source,
                    ITEM_SIZE,
                    (writer, number, restores) -> note(log, "C " + writer + " " + number + " " + restores));
            List<Txid> states = states(folder, load);
            compare(folder, database);
            int epoch;
            try (Connection connection = source.getConnection()) {
                epoch = (int) InPlaceLoad.epoch(connection);
            }
            note(log, "S " + epoch);
            System.out.println("child: running");
            load.begin();
            for (int i = 0; System.in.available() == 0; i++) {
                int next = 3 - epoch;
                note(log, "B " + i + " " + next);
                InPlaceRestoreResult result = load.restore(states.get(next - 1));
                note(log, "E " + (i + 1) + " " + next + " " + result.before() + " " + result.after());
                epoch = next;
                load.check();
            }
            load.stop();
            database.sync(Duration.ofSeconds(60));
            compare(folder, database);
            System.out.println("child: " + load.summary());
        } catch (Exception e) {
            e.printStackTrace(System.out);
            System.out.println("child: failed");
            Runtime.getRuntime().halt(3);
        }
    }

    /** Level 0 stays, so that each transaction can be looked at. */
    private static DatabaseConfig config(Path folder) {
        return DatabaseConfig.builder(
                        folder.resolve("app.db"),
                        ReplicaLocation.of(folder.resolve("replica").toUri().toString()))
                .syncInterval(Duration.ofMillis(20))
                .minCheckpointPages(200)
                .levels(List.of(Duration.ofHours(1)))
                .level0Retention(Duration.ofHours(1))
                .build();
    }

    private static List<Txid> states(Path folder, InPlaceLoad load) throws Exception {
        Path known = folder.resolve("states");
        if (!Files.exists(known)) {
            List<String> created = load.create().stream().map(Txid::toString).toList();
            Files.write(folder.resolve("states.tmp"), created);
            Files.move(folder.resolve("states.tmp"), known);
        }
        return Files.readAllLines(known).stream().map(Txid::parse).toList();
    }

    /** Nobody writes meanwhile. */
    private static void compare(Path folder, ManagedDatabase database) throws Exception {
        database.sync(Duration.ofSeconds(60));
        Path restored = folder.resolve("compared.db");
        try (ReplicaClient client = Replicas.open(database.config().replica())) {
            Restore.restore(
                    client, restored, RestoreOptions.builder().force(true).build());
        }
        Truth.of(database.config().path()).assertSame(Truth.of(restored), "the replica and the database");
    }

    private static void note(FileChannel log, String line) throws IOException {
        log.write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.US_ASCII))); // one call: whole or not at all
    }
}
