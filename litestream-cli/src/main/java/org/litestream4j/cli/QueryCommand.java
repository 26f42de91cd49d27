package org.litestream4j.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;
import org.litestream4j.readreplica.ReadReplica;
import org.litestream4j.readreplica.ReadReplicaOptions;
import org.litestream4j.restore.RestoreTarget;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Queries a replica. */
@Command(
        name = "query",
        description = "Runs SQL on a replica without restoring it, by default on the newest state.",
        mixinStandardHelpOptions = true)
final class QueryCommand implements Callable<Integer> {

    @Mixin
    private ReplicaArguments replica = new ReplicaArguments();

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "SQL",
            description = "The query. Without it: a prompt on a terminal, otherwise statements from standard input.")
    private @Nullable String sql;

    @Option(
            names = "--as-of",
            paramLabel = "TIME",
            description = "Query the newest state before this time: ISO 8601 with a zone (2026-11-24T10:15:30Z), or"
                    + " relative to now (\"5 minutes ago\").")
    private @Nullable String asOf;

    @Option(names = "--txid", paramLabel = "HEX", description = "Query the state after this transaction.")
    private @Nullable String txid;

    @Option(
            names = "--cache",
            paramLabel = "FOLDER",
            description = "Folder for what makes the next query of this replica faster.")
    private @Nullable Path cache;

    @Option(names = "--mark", paramLabel = "NAME", description = "Query the state that a mark names.")
    private @Nullable String mark;

    @Option(names = "--csv", description = "Print comma-separated values with a header.")
    private boolean csv;

    @Option(names = "--json", description = "Print a JSON array with an object for each row.")
    private boolean json;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException, SQLException {
        RestoreTarget target = target(txid, asOf, mark);
        PrintWriter out = spec.commandLine().getOut();
        try (ReadReplica opened = ReadReplica.open(
                replica.location(), ReadReplicaOptions.builder().folder(cache).build())) {
            if (sql != null) {
                try (Connection connection = connect(opened, target)) {
                    run(connection, sql, output(out));
                }
                return 0;
            }
            QueryPrompt prompt = new QueryPrompt(
                    new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset())),
                    out,
                    spec.commandLine().getErr(),
                    ProgressLine.isTerminal());
            return prompt.run(opened, target, output(out));
        }
    }

    private QueryOutput output(PrintWriter out) {
        if (csv && json) {
            throw new UsageException("--csv and --json cannot be combined");
        }
        return csv ? QueryOutput.csv(out) : json ? QueryOutput.json(out) : QueryOutput.table(out);
    }

    /** @throws UsageException if the options contradict each other or are invalid */
    static RestoreTarget target(@Nullable String txid, @Nullable String time, @Nullable String mark) {
        if (txid != null && time != null) {
            throw new UsageException("--txid and --as-of cannot be combined");
        }
        if (mark != null && (txid != null || time != null)) {
            throw new UsageException("--mark cannot be combined with --txid or --as-of");
        }
        try {
            if (mark != null) {
                return RestoreTarget.mark(mark);
            }
            if (txid != null) {
                return RestoreTarget.txid(Txid.parse(txid));
            }
            return time == null || time.equalsIgnoreCase("latest")
                    ? RestoreTarget.latest()
                    : RestoreTarget.timestamp(time, Clock.systemUTC());
        } catch (IllegalArgumentException e) {
            throw new UsageException(e);
        }
    }

    static Connection connect(ReadReplica replica, RestoreTarget target) throws IOException, SQLException {
        if (target instanceof RestoreTarget.AtTxid at) {
            return replica.asOf(at.txid()).getConnection();
        }
        if (target instanceof RestoreTarget.AtTimestamp at) {
            return replica.asOf(at.timestamp()).getConnection();
        }
        if (target instanceof RestoreTarget.AtMark at) {
            return replica.asOfMark(at.name()).getConnection();
        }
        return replica.dataSource().getConnection();
    }

    /** Runs all statements of a text. */
    static void run(Connection connection, String sql, QueryOutput output) throws IOException, SQLException {
        SqlStatements statements = SqlStatements.of(sql);
        for (String complete : statements.complete()) {
            runOne(connection, complete, output);
        }
        if (!statements.remainder().isEmpty()) {
            runOne(connection, statements.remainder(), output);
        }
    }

    private static void runOne(Connection connection, String sql, QueryOutput output) throws IOException, SQLException {
        try (Statement statement = connection.createStatement()) {
            if (statement.execute(sql)) {
                output.print(statement.getResultSet());
            }
        }
    }
}
