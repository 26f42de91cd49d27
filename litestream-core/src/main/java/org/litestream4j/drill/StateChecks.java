package org.litestream4j.drill;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.litestream4j.internal.files.NativeLibrary;
import org.litestream4j.internal.files.SqlitePaths;
import org.litestream4j.replica.Redaction;
import org.sqlite.JDBC;
import org.sqlite.ProgressHandler;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** Runs the check of foreign keys and the checks of the user on a restored database. */
final class StateChecks {

    /** URI parameters with which SQLite takes no locks and creates no side files. */
    private static final String IMMUTABLE = "immutable=1&mode=ro";

    private static final int STEPS_BETWEEN_PAUSES = 20_000;

    /** Maximum number of tables named in a finding. */
    private static final int MAX_TABLES = 5;

    private final DrillOptions options;
    private final Limits limits;
    private final boolean past;
    private final Limits.Work work = new Limits.Work();
    private final List<DrillFinding> findings = new ArrayList<>();

    /** @param past whether the state may be older than the tables that the checks use */
    StateChecks(DrillOptions options, Limits limits, boolean past) {
        this.options = options;
        this.limits = limits;
        this.past = past;
    }

    /**
     * Runs the checks until a limit of the drill is exceeded.
     *
     * @return findings
     * @throws IOException if the checks cannot run
     */
    List<DrillFinding> run(Path database, DrilledState state) throws IOException {
        NativeLibrary.require(); // a missing library would otherwise look like a failed check
        SQLiteConfig config = new SQLiteConfig();
        config.setReadOnly(true);
        try (Connection connection =
                JDBC.createConnection(SqlitePaths.jdbcUrl(database, IMMUTABLE), config.toProperties())) {
            ProgressHandler.setHandler(connection, STEPS_BETWEEN_PAUSES, new ProgressHandler() {
                @Override
                protected int progress() {
                    limits.pauseAfter(work);
                    return limits.areExceeded() ? 1 : 0;
                }
            });
            if (options.foreignKeys()) {
                checkForeignKeys(connection, state);
            }
            for (RestoreDrillCheck check : options.checks()) {
                check(connection, check, state);
            }
        } catch (SQLException e) {
            add(DrillFinding.Kind.MALFORMED, state, "SQLite cannot open it: " + e.getMessage());
        }
        return findings;
    }

    private void checkForeignKeys(Connection connection, DrilledState state) throws IOException {
        TreeMap<String, Long> violations = new TreeMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("PRAGMA foreign_key_check")) {
            while (rows.next()) {
                violations.merge(rows.getString(1), 1L, Long::sum);
            }
        } catch (SQLException e) {
            failed(e, DrillFinding.Kind.FOREIGN_KEYS, state, "the foreign keys cannot be checked: " + e.getMessage());
        }
        if (!violations.isEmpty()) {
            long count = violations.values().stream().mapToLong(Long::longValue).sum();
            List<String> tables = violations.keySet().stream().limit(MAX_TABLES).toList();
            add(
                    DrillFinding.Kind.FOREIGN_KEYS,
                    state,
                    count + " rows violate foreign keys, in " + String.join(", ", tables)
                            + (violations.size() > MAX_TABLES ? " and others" : "")
                            + "; correct them, or turn off the check of foreign keys if the application does not"
                            + " enforce them");
        }
    }

    private void check(Connection connection, RestoreDrillCheck check, DrilledState state) throws IOException {
        if (limits.areExceeded()) {
            return;
        }
        try {
            check.check(connection, state.txid(), state.timestamp());
        } catch (SQLException e) {
            boolean otherSchema = past && check instanceof SqlCheck && is(e, SQLiteErrorCode.SQLITE_ERROR);
            if (!otherSchema) {
                failed(e, DrillFinding.Kind.CHECK, state, describe(check, e));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("the drill was interrupted during a check", e);
        } catch (Exception | AssertionError e) {
            if (!limits.areExceeded()) { // otherwise the check was ended, not failed
                add(DrillFinding.Kind.CHECK, state, describe(check, e));
            }
        }
    }

    private static String describe(RestoreDrillCheck check, Throwable e) {
        String message = e.getMessage();
        return "check \"" + check.name() + "\" failed: "
                + (message == null || message.isBlank() ? e.getClass().getSimpleName() : message);
    }

    private void failed(SQLException e, DrillFinding.Kind kind, DrilledState state, String text) throws IOException {
        if (limits.areExceeded() && isInterrupt(e)) {
            return;
        }
        if (isLocal(e)) {
            throw new IOException("the restored database cannot be read: " + e.getMessage(), e);
        }
        add(isDamage(e) ? DrillFinding.Kind.MALFORMED : kind, state, text);
    }

    private void add(DrillFinding.Kind kind, DrilledState state, String text) {
        findings.add(new DrillFinding(kind, Redaction.printable(state.target() + ": " + text)));
    }

    /** Returns whether an error of SQLite comes from this machine: its disk, its memory, not from the database. */
    static boolean isLocal(Throwable e) {
        return is(
                e,
                SQLiteErrorCode.SQLITE_IOERR,
                SQLiteErrorCode.SQLITE_NOMEM,
                SQLiteErrorCode.SQLITE_CANTOPEN,
                SQLiteErrorCode.SQLITE_FULL);
    }

    private static boolean isInterrupt(Throwable e) {
        return is(e, SQLiteErrorCode.SQLITE_INTERRUPT);
    }

    private static boolean isDamage(Throwable e) {
        return is(e, SQLiteErrorCode.SQLITE_CORRUPT, SQLiteErrorCode.SQLITE_NOTADB);
    }

    private static boolean is(Throwable e, SQLiteErrorCode... codes) {
        if (e instanceof SQLiteException error) {
            for (SQLiteErrorCode code : codes) {
                if ((error.getResultCode().code & 0xFF) == code.code) {
                    return true;
                }
            }
        }
        return false;
    }
}
