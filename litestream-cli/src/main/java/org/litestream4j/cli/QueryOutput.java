package org.litestream4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** Prints the rows of a query. Rows are printed as they are read. */
interface QueryOutput {

    /** Number of rows after which the output is checked. */
    int CHECKED = 1000;

    /**
     * Prints all rows.
     *
     * @throws IOException if the output cannot be written
     */
    void print(ResultSet rows) throws IOException, SQLException;

    private static void check(PrintWriter out) throws IOException {
        if (out.checkError()) {
            throw new IOException(CommandOutput.UNWRITABLE);
        }
    }

    /** Returns aligned columns; the first rows decide on their widths. */
    static QueryOutput table(PrintWriter out) {
        return rows -> new Table(out, names(rows)).print(rows);
    }

    /** Returns comma-separated values as of RFC 4180; NULL is empty, a BLOB is in hexadecimal. */
    static QueryOutput csv(PrintWriter out) {
        return rows -> {
            List<String> names = names(rows);
            out.print(String.join(",", names.stream().map(QueryOutput::quoted).toList()) + "\r\n");
            for (int count = 1; rows.next(); count++) {
                List<String> values = new ArrayList<>();
                for (int i = 1; i <= names.size(); i++) {
                    values.add(quoted(text(rows.getObject(i), "")));
                }
                out.print(String.join(",", values) + "\r\n");
                if (count % CHECKED == 0) {
                    check(out);
                }
            }
            check(out);
        };
    }

    /** Returns an array of objects, which ends also if reading fails; a BLOB is in base 64. */
    static QueryOutput json(PrintWriter out) {
        return rows -> {
            List<String> names = names(rows);
            int count = 0;
            try {
                while (rows.next()) {
                    Map<String, @Nullable Object> row = new LinkedHashMap<>();
                    for (int i = 1; i <= names.size(); i++) {
                        row.put(names.get(i - 1), rows.getObject(i));
                    }
                    out.print((count == 0 ? "[\n" : ",\n") + JsonMapper.shared().writeValueAsString(row));
                    count++;
                    if (count % CHECKED == 0) {
                        check(out);
                    }
                }
            } finally {
                out.println(count == 0 ? "[]" : "\n]");
            }
            check(out);
        };
    }

    /** Returns the names of the columns; a name that was there before gets a number. */
    private static List<String> names(ResultSet rows) throws SQLException {
        ResultSetMetaData columns = rows.getMetaData();
        List<String> names = new ArrayList<>();
        for (int i = 1; i <= columns.getColumnCount(); i++) {
            String label = columns.getColumnLabel(i);
            String name = label;
            for (int number = 2; names.contains(name); number++) {
                name = label + "_" + number;
            }
            names.add(name);
        }
        return names;
    }

    private static String text(@Nullable Object value, String nothing) {
        if (value == null) {
            return nothing;
        }
        return value instanceof byte[] bytes ? HexFormat.of().formatHex(bytes) : value.toString();
    }

    private static String quoted(String value) {
        return value.matches("(?s).*[\",\\r\\n].*") ? '"' + value.replace("\"", "\"\"") + '"' : value;
    }

    /** Aligned columns. */
    final class Table {

        private static final int MEASURED = 100;
        private static final int MAX_WIDTH = 60;

        private final PrintWriter out;
        private final List<String> names;
        private final int[] widths;

        private Table(PrintWriter out, List<String> names) {
            this.out = out;
            this.names = names;
            this.widths = new int[names.size()];
        }

        private void print(ResultSet rows) throws IOException, SQLException {
            List<List<String>> first = new ArrayList<>();
            first.add(names);
            while (first.size() <= MEASURED && rows.next()) {
                first.add(row(rows));
            }
            for (List<String> row : first) {
                for (int i = 0; i < widths.length; i++) {
                    widths[i] =
                            Math.min(MAX_WIDTH, Math.max(widths[i], row.get(i).length()));
                }
            }
            for (int i = 0; i < first.size(); i++) {
                line(first.get(i));
                if (i == 0) {
                    line(names.stream()
                            .map(name -> "-".repeat(widths[names.indexOf(name)]))
                            .toList());
                }
            }
            for (int count = 1; first.size() > MEASURED && rows.next(); count++) {
                line(row(rows));
                if (count % CHECKED == 0) {
                    check(out);
                }
            }
            check(out);
        }

        private List<String> row(ResultSet rows) throws SQLException {
            List<String> values = new ArrayList<>();
            for (int i = 1; i <= widths.length; i++) {
                values.add(text(rows.getObject(i), "NULL").replaceAll("\\R", " "));
            }
            return values;
        }

        private void line(List<String> values) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                String value = values.get(i);
                line.append(i == 0 ? "" : "  ")
                        .append(value)
                        .append(" ".repeat(Math.max(0, widths[i] - value.length())));
            }
            out.println(line.toString().stripTrailing());
        }
    }
}
