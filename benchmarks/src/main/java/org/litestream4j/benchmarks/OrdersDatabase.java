package org.litestream4j.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/** Makes the SQLite database of a small shop: orders and their lines, with indexes and text. Always the same rows. */
final class OrdersDatabase {

    static final int PAGE_SIZE = 4096;

    private static final String[] WORDS = {
        "delivery", "address", "please", "ring", "the", "bell", "before", "noon", "gift", "wrapped", "fragile",
                "return",
        "invoice", "to", "company", "second", "floor", "left", "door", "urgent", "blue", "large", "small", "cotton",
        "steel", "garden", "kitchen", "table", "lamp", "chair", "customer", "called", "twice", "and", "asked", "for"
    };
    private static final String[] STATES = {"NEW", "PAID", "PACKED", "SHIPPED", "DELIVERED", "RETURNED"};
    private static final int ROWS_PER_TRANSACTION = 5_000;

    private OrdersDatabase() {}

    /**
     * Pages of a new database, without the file's rest.
     *
     * @param count how many pages; the database is made a little larger
     */
    static List<byte[]> pages(int count) throws IOException, SQLException {
        Path folder = Files.createTempDirectory("orders");
        Path file = folder.resolve("orders.db");
        try {
            create(file, (long) count * PAGE_SIZE);
            List<byte[]> pages = new ArrayList<>(count);
            try (InputStream in = Files.newInputStream(file)) {
                while (pages.size() < count) {
                    pages.add(in.readNBytes(PAGE_SIZE));
                }
            }
            return pages;
        } finally {
            Files.deleteIfExists(file);
            Files.delete(folder);
        }
    }

    /** Makes a database of at least {@code size} bytes. */
    static void create(Path file, long size) throws IOException, SQLException {
        Random random = new Random(42);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
                Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA page_size=" + PAGE_SIZE);
            statement.execute("PRAGMA journal_mode=OFF");
            statement.execute("PRAGMA synchronous=OFF");
            statement.execute(
                    "CREATE TABLE orders (id INTEGER PRIMARY KEY, reference TEXT NOT NULL, customer TEXT NOT NULL,"
                            + " email TEXT NOT NULL, state TEXT NOT NULL, total_cents INTEGER NOT NULL,"
                            + " created_at TEXT NOT NULL, note TEXT)");
            statement.execute("CREATE TABLE order_line (order_id INTEGER NOT NULL, line INTEGER NOT NULL,"
                    + " product TEXT NOT NULL, quantity INTEGER NOT NULL, price REAL NOT NULL,"
                    + " PRIMARY KEY (order_id, line)) WITHOUT ROWID");
            statement.execute("CREATE UNIQUE INDEX orders_reference ON orders (reference)");
            statement.execute("CREATE INDEX orders_customer ON orders (customer, created_at)");
            connection.setAutoCommit(false);
            long id = 0;
            while (Files.size(file) < size) {
                id = insert(connection, id, random);
                connection.commit();
            }
        }
    }

    private static long insert(Connection connection, long lastId, Random random) throws SQLException {
        long id = lastId;
        try (PreparedStatement order =
                        connection.prepareStatement("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
                PreparedStatement line = connection.prepareStatement("INSERT INTO order_line VALUES (?, ?, ?, ?, ?)")) {
            for (int row = 0; row < ROWS_PER_TRANSACTION; row++) {
                id++;
                String customer = "customer-" + random.nextInt(50_000);
                order.setLong(1, id);
                order.setString(2, new UUID(random.nextLong(), random.nextLong()).toString());
                order.setString(3, customer);
                order.setString(4, customer + "@example.org");
                order.setString(5, STATES[random.nextInt(STATES.length)]);
                order.setLong(6, random.nextInt(1_000_000));
                order.setString(
                        7,
                        String.format(
                                "2026-%02d-%02dT%02d:%02d:%02dZ",
                                1 + random.nextInt(12),
                                1 + random.nextInt(28),
                                random.nextInt(24),
                                random.nextInt(60),
                                random.nextInt(60)));
                order.setString(8, words(random, random.nextInt(25)));
                order.executeUpdate();
                for (int number = 1; number <= 1 + random.nextInt(4); number++) {
                    line.setLong(1, id);
                    line.setInt(2, number);
                    line.setString(3, words(random, 2));
                    line.setInt(4, 1 + random.nextInt(9));
                    line.setDouble(5, random.nextInt(100_000) / 100.0);
                    line.executeUpdate();
                }
            }
        }
        return id;
    }

    private static String words(Random random, int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(i == 0 ? "" : " ").append(WORDS[random.nextInt(WORDS.length)]);
        }
        return text.toString();
    }
}
