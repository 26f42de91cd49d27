package org.litestream4j.restore;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** Answers queries with one connection, which keeps its caches between them; a line of input each. */
final class SqlChild {

    private SqlChild() {}

    public static void main(String[] args) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + args[0]);
                BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String sql = lines.readLine(); sql != null; sql = lines.readLine()) {
                System.out.println(answer(connection, sql));
            }
        }
    }

    private static String answer(Connection connection, String sql) {
        List<String> rows = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            while (row.next()) {
                rows.add(row.getString(1));
            }
            return String.join(",", rows);
        } catch (SQLException e) {
            return e.getMessage();
        }
    }
}
