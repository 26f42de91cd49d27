package org.litestream4j.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.litestream4j.readreplica.ReadReplica;
import org.litestream4j.readreplica.ReadReplicaStatus;
import org.litestream4j.restore.RestoreTarget;

/** Reads statements, each up to its semicolon, and runs them. */
final class QueryPrompt {

    private static final String HELP =
            """
            SQL;              run a statement, which may take several lines
            .as-of TIME       query the newest state before a time, or: .as-of latest
            .tables           list the tables
            .schema           print the schema
            .quit             leave""";

    private final BufferedReader in;
    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean isTerminal;

    QueryPrompt(BufferedReader in, PrintWriter out, PrintWriter err, boolean isTerminal) {
        this.in = in;
        this.out = out;
        this.err = err;
        this.isTerminal = isTerminal;
    }

    /** Runs until the end of the input. On a terminal, errors are printed; otherwise, the first one ends the run. */
    int run(ReadReplica replica, RestoreTarget target, QueryOutput output) throws IOException, SQLException {
        greet(replica, target);
        Connection connection = QueryCommand.connect(replica, target);
        try {
            StringBuilder statement = new StringBuilder();
            while (true) {
                String line = line(statement.isEmpty());
                boolean isCommand = line != null && statement.isEmpty() && line.startsWith(".");
                if (line == null || (isCommand && line.matches("\\.(quit|exit)\\s*"))) {
                    run(connection, statement.toString(), output);
                    return 0;
                }
                if (isCommand) {
                    connection = command(replica, connection, line.strip(), output);
                    continue;
                }
                statement.append(line).append('\n');
                SqlStatements statements = SqlStatements.of(statement.toString());
                for (String complete : statements.complete()) {
                    run(connection, complete, output);
                }
                statement.setLength(0);
                statement.append(statements.remainder());
            }
        } finally {
            connection.close();
        }
    }

    private void greet(ReadReplica replica, RestoreTarget target) {
        if (isTerminal) {
            ReadReplicaStatus status = replica.status();
            out.println(
                    target instanceof RestoreTarget.Latest
                            ? "TXID " + status.txid() + " of " + status.timestamp()
                            : target.toString());
            out.println("Read-only. End a statement with a semicolon; .help lists the commands.");
        }
    }

    private @Nullable String line(boolean isFirst) throws IOException {
        if (isTerminal) {
            out.print(isFirst ? "litestream> " : "       ...> ");
            out.flush();
        }
        return in.readLine();
    }

    private void run(Connection connection, String sql, QueryOutput output) throws IOException, SQLException {
        try {
            QueryCommand.run(connection, sql, output);
        } catch (SQLException e) {
            failed(e);
        }
    }

    private <E extends Exception> void failed(E e) throws E {
        if (!isTerminal) {
            throw e;
        }
        out.flush();
        err.println("error: " + ErrorText.oneLine(ErrorText.of(e)));
        err.flush();
    }

    /** Runs a command and returns the connection to use from now on. */
    private Connection command(ReadReplica replica, Connection connection, String line, QueryOutput output)
            throws IOException, SQLException {
        String[] words = line.split("\\s+", 2);
        switch (words[0]) {
            case ".as-of" -> {
                return asOf(replica, connection, words.length == 1 ? "latest" : words[1]);
            }
            case ".tables" ->
                run(
                        connection,
                        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
                                + " ORDER BY 1",
                        output);
            case ".schema" -> run(connection, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL", output);
            default -> out.println(HELP);
        }
        out.flush();
        return connection;
    }

    private Connection asOf(ReadReplica replica, Connection connection, String time) throws IOException, SQLException {
        try {
            Connection selected = QueryCommand.connect(replica, QueryCommand.target(null, time, null));
            connection.close();
            return selected;
        } catch (IOException e) {
            failed(e);
        } catch (SQLException e) {
            failed(e);
        } catch (UsageException e) {
            failed(e);
        }
        return connection;
    }
}
