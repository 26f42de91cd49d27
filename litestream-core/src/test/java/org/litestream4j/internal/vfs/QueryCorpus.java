package org.litestream4j.internal.vfs;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HexFormat;
import java.util.Random;

/**
 * Random queries over a shop: joins, aggregates, window functions, full-text search, JSON, recursive expressions, sorts
 * that spill, and BLOBs. The same seed gives the same database and the same queries.
 */
public final class QueryCorpus {

    private final Random random;
    private final int orders;

    public QueryCorpus(long seed, int orders) {
        this.random = new Random(seed);
        this.orders = orders;
    }

    /** Creates the database in an empty file; in WAL mode, as a primary has it. */
    public void fill(Connection connection, int pageSize) throws SQLException {
        VfsFixture.execute(
                connection,
                "PRAGMA page_size=" + pageSize,
                "PRAGMA journal_mode=WAL",
                "CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT, country TEXT, joined TEXT, note TEXT)",
                "CREATE TABLE orders(id INTEGER PRIMARY KEY, customer INT, placed TEXT, status TEXT, total REAL)",
                "CREATE TABLE item(order_id INT, line INT, product INT, qty INT, price REAL, PRIMARY KEY (order_id, line))"
                        + " WITHOUT ROWID",
                "CREATE TABLE product(id INTEGER PRIMARY KEY, name TEXT, attributes TEXT)",
                "CREATE TABLE tree(id INTEGER PRIMARY KEY, parent INT, label TEXT)",
                "CREATE TABLE file(id INTEGER PRIMARY KEY, data BLOB)",
                "CREATE VIRTUAL TABLE doc USING fts5(title, body)",
                "CREATE VIEW sales AS SELECT o.*, i.line, i.product, i.qty, i.qty * i.price AS amount"
                        + " FROM orders o JOIN item i ON i.order_id = o.id");
        insert(
                connection,
                "customer",
                orders / 10 + 1,
                "i, hex(i * 7919 % 104729), substr('dechatfritesnl', i % 7 * 2 + 1,"
                        + " 2), date('2020-01-01', (i * 37 % 2000) || ' days'), printf('%.*c', i * 13 % 300, 'n')");
        insert(
                connection,
                "product",
                200,
                "i, 'product ' || i, json_object('weight', i % 50, 'tags', json_array(i % 3,"
                        + " i % 7), 'size', json_object('w', i * 3 % 11, 'h', i * 5 % 13))");
        insert(
                connection,
                "orders",
                orders,
                "i, i * 7 % " + (orders / 10 + 1) + " + 1, datetime('2025-01-01', (i * 131 %"
                        + " 500000) || ' minutes'), CASE i % 5 WHEN 0 THEN 'open' WHEN 1 THEN 'paid' ELSE 'done' END, i * 17 % 1000"
                        + " / 4.0");
        insert(connection, "item", orders * 3, "(i + 2) / 3, i % 3, i * 11 % 200 + 1, i % 9 + 1, i * 13 % 500 / 8.0");
        insert(connection, "tree", 500, "i, i / 3, 'node ' || i");
        insert(connection, "file", 12, "i, CAST(printf('%.*c', i * i * 2500, char(65 + i)) AS BLOB)");
        insert(
                connection,
                "doc(title, body)",
                orders / 5,
                "'title ' || (i % 50), 'alpha' || (i % 10) || ' beta' || (i % 7) ||"
                        + " ' gamma delta' || (i * i % 31)");
        VfsFixture.execute(
                connection,
                "CREATE INDEX orders_customer ON orders(customer, placed)",
                "CREATE INDEX orders_open ON orders(placed) WHERE status = 'open'",
                "CREATE INDEX item_product ON item(product)",
                "CREATE INDEX product_weight ON product(attributes ->> '$.weight')",
                "ANALYZE",
                "DELETE FROM orders WHERE id % 97 = 0",
                "UPDATE customer SET note = note || note WHERE id % 5 = 0");
    }

    private static void insert(Connection connection, String table, int rows, String values) throws SQLException {
        VfsFixture.execute(
                connection,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + rows + ") INSERT INTO "
                        + table + " SELECT " + values + " FROM n");
    }

    /** Returns the next query. */
    public String next() {
        return switch (random.nextInt(14)) {
            case 0 -> "SELECT * FROM orders WHERE " + onOrders("orders") + " ORDER BY id " + limit();
            case 1 ->
                "SELECT c.country, count(*), sum(o.total), " + aggregate("o.total")
                        + " FROM customer c JOIN orders o ON o.customer = c.id WHERE " + onOrders("o")
                        + " GROUP BY 1 HAVING count(*) > " + random.nextInt(5) + " ORDER BY 1";
            case 2 ->
                "SELECT o.id, i.line, p.name, i.qty * i.price FROM orders o " + join() + " item i ON i.order_id = o.id "
                        + join() + " product p ON p.id = i.product WHERE " + onOrders("o") + " ORDER BY 1, 2 "
                        + limit();
            case 3 ->
                "SELECT id, customer, " + window() + " FROM orders WHERE " + onOrders("orders") + " ORDER BY id "
                        + limit();
            case 4 ->
                "SELECT rowid, title, snippet(doc, 1, '[', ']', '…', 4), bm25(doc) FROM doc WHERE doc MATCH '" + match()
                        + "' ORDER BY rank, rowid " + limit();
            case 5 ->
                "SELECT id, attributes ->> '$.size.w', json_extract(attributes, '$.tags[1]') FROM product WHERE"
                        + " attributes ->> '$.weight' " + comparison(50) + " ORDER BY 2, id";
            case 6 ->
                "SELECT t.value, count(*), group_concat(p.id) FROM product p, json_each(p.attributes, '$.tags') t WHERE"
                        + " p.id % " + (random.nextInt(7) + 1) + " = 0 GROUP BY 1 ORDER BY 1";
            case 7 ->
                "WITH RECURSIVE up(id, depth, path) AS (SELECT id, 0, label FROM tree WHERE id = "
                        + (random.nextInt(500) + 1)
                        + " UNION ALL SELECT t.parent, depth + 1, path || '/' || t.parent FROM up"
                        + " JOIN tree t ON t.id = up.id WHERE t.parent > 0) SELECT * FROM up";
            case 8 ->
                "WITH RECURSIVE down(id, depth) AS (SELECT " + (random.nextInt(20) + 1)
                        + ", 0 UNION ALL SELECT t.id, depth + 1 FROM down JOIN tree t ON t.parent = down.id WHERE depth < 6)"
                        + " SELECT depth, count(*), sum(id) FROM down GROUP BY depth";
            case 9 ->
                "SELECT id, length(data), substr(data, " + (random.nextInt(300_000) + 1) + ", 20) FROM file WHERE id "
                        + comparison(12);
            case 10 ->
                "SELECT name, note FROM customer ORDER BY substr(note, " + random.nextInt(200) + "), name DESC, id "
                        + limit();
            case 11 ->
                "SELECT status, count(DISTINCT customer), sum(amount) FROM sales WHERE product " + comparison(200)
                        + " GROUP BY status ORDER BY 1";
            case 12 ->
                "SELECT id FROM orders o WHERE " + (random.nextBoolean() ? "" : "NOT ")
                        + "EXISTS (SELECT 1 FROM item i WHERE i.order_id = o.id AND i.product " + comparison(200)
                        + ") AND id IN (SELECT id FROM orders WHERE " + onOrders("orders") + ") ORDER BY id " + limit();
            default ->
                "SELECT * FROM (SELECT id FROM customer WHERE joined " + text() + " " + setOperator()
                        + " SELECT customer FROM orders WHERE " + onOrders("orders") + ") ORDER BY 1 " + limit();
        };
    }

    private String onOrders(String alias) {
        return switch (random.nextInt(6)) {
            case 0 -> alias + ".id " + comparison(orders);
            case 1 -> alias + ".id BETWEEN " + random.nextInt(orders) + " AND " + random.nextInt(orders);
            case 2 -> alias + ".customer = " + (random.nextInt(orders / 10 + 1) + 1);
            case 3 -> alias + ".status = 'open' AND " + alias + ".placed " + text();
            case 4 ->
                "(" + alias + ".total " + comparison(250) + " OR " + alias + ".customer " + comparison(orders / 10)
                        + ")";
            default -> alias + ".placed " + text() + " AND " + alias + ".id % " + (random.nextInt(9) + 2) + " = 1";
        };
    }

    private String comparison(int bound) {
        String[] operators = {"<", "<=", "=", ">=", ">", "<>"};
        return operators[random.nextInt(operators.length)] + " " + random.nextInt(bound + 1);
    }

    private String text() {
        return (random.nextBoolean() ? "< '" : ">= '") + "202" + (random.nextInt(3) + 3) + "-0"
                + (random.nextInt(9) + 1) + "-15'";
    }

    private String limit() {
        return random.nextBoolean()
                ? "LIMIT " + (random.nextInt(300) + 1)
                : "LIMIT " + (random.nextInt(300) + 1) + " OFFSET " + random.nextInt(orders);
    }

    private String aggregate(String column) {
        String[] functions = {"avg", "min", "max", "total", "group_concat"};
        return functions[random.nextInt(functions.length)] + "(" + column + ")";
    }

    private String join() {
        return random.nextBoolean() ? "JOIN" : "LEFT JOIN";
    }

    private String window() {
        String[] functions = {"row_number()", "sum(total)", "lag(id, 2)", "ntile(7)", "first_value(placed)"};
        String frame =
                random.nextBoolean() ? "PARTITION BY customer ORDER BY placed, id" : "ORDER BY status, placed DESC, id";
        return functions[random.nextInt(functions.length)] + " OVER (" + frame + ")";
    }

    private String match() {
        return switch (random.nextInt(4)) {
            case 0 -> "alpha" + random.nextInt(10);
            case 1 -> "alpha" + random.nextInt(10) + " AND beta" + random.nextInt(7);
            case 2 -> "\"gamma delta" + random.nextInt(31) + "\" NOT beta" + random.nextInt(7);
            default -> "title : " + random.nextInt(50) + " OR delta" + random.nextInt(3) + "*";
        };
    }

    private String setOperator() {
        String[] operators = {"UNION", "UNION ALL", "INTERSECT", "EXCEPT"};
        return operators[random.nextInt(operators.length)];
    }

    /** Compares the answers of two databases. Returns whether there are rows. */
    public static boolean compare(Connection expected, Connection actual, String sql) throws SQLException {
        String answer = answer(expected, sql);
        assertThat(answer(actual, sql)).as(sql).isEqualTo(answer);
        return !answer.startsWith("0 rows");
    }

    /** The number of rows and a digest of all values. */
    public static String answer(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            int columns = rows.getMetaData().getColumnCount();
            int count = 0;
            while (rows.next()) {
                count++;
                for (int i = 1; i <= columns; i++) {
                    Object value = rows.getObject(i);
                    digest.update(
                            value instanceof byte[] bytes ? bytes : (value + "\0").getBytes(StandardCharsets.UTF_8));
                }
            }
            return count + " rows, " + HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
