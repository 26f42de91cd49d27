package org.litestream4j.crash;

import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.litestream4j.Durability;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.SqliteFixture;

/**
 * Commits that wait for the replica, of several writers, until it is killed: {@code DurableChild folder first}. Each that has
 * returned stands in {@code returned.log}.
 */
final class DurableChild {

    private static final int WRITERS = 8;

    private DurableChild() {}

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        Path path = folder.resolve("app.db");
        AtomicLong numbers = new AtomicLong(Long.parseLong(args[1]));
        Litestream litestream = Litestream.builder().build();
        ManagedDatabase database = litestream.register(EngineFixture.config(path, folder.resolve("replica"))
                .durability(Durability.REPLICATED)
                .build());
        DataSource source = database.wrap(SqliteFixture.dataSource(path));
        FileChannel log =
                FileChannel.open(folder.resolve("returned.log"), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        try (Connection connection = source.getConnection()) {
            execute(connection, "CREATE TABLE IF NOT EXISTS t(x INTEGER PRIMARY KEY, y)");
        }
        for (int i = 0; i < WRITERS; i++) {
            boolean transactions = i % 2 == 0;
            new Thread(() -> write(source, transactions, numbers, log)).start();
        }
    }

    private static void write(DataSource source, boolean transactions, AtomicLong numbers, FileChannel log) {
        try (Connection connection = source.getConnection()) {
            execute(connection, "PRAGMA synchronous=NORMAL");
            connection.setAutoCommit(!transactions);
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (?, randomblob(200))")) {
                while (true) {
                    long number = numbers.incrementAndGet();
                    insert.setLong(1, number);
                    insert.executeUpdate();
                    if (transactions) {
                        connection.commit();
                    }
                    ByteBuffer line = ByteBuffer.wrap((number + "\n").getBytes(StandardCharsets.US_ASCII));
                    log.write(line); // one call: whole or not at all
                }
            }
        } catch (Exception e) {
            e.printStackTrace(System.out);
            Runtime.getRuntime().halt(3);
        }
    }
}
