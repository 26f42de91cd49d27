package org.litestream4j.restore;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.NativeLibrary;
import org.litestream4j.internal.files.SqliteCode;
import org.litestream4j.internal.files.SqlitePaths;
import org.litestream4j.replica.StopSignal;
import org.litestream4j.restore.RestoreException.Reason;
import org.sqlite.JDBC;
import org.sqlite.ProgressHandler;
import org.sqlite.SQLiteException;

/** Runs SQLite's integrity check on a database file, without leaving files beside it. */
final class IntegrityChecker {

    /** URI parameters with which SQLite takes no locks and creates no side files. */
    private static final String IMMUTABLE = "immutable=1&mode=ro";

    private static final int STEPS_BETWEEN_REPORTS = 100_000;

    private static final int MAX_FINDINGS = 3;

    private IntegrityChecker() {}

    /**
     * Runs the check.
     *
     * @param report called at most a few times a second; returns true to end the check with a
     *     {@link StopSignal.StoppedException}
     * @throws RestoreException with {@link Reason#INTEGRITY} and the first findings
     */
    static void check(Path file, IntegrityCheck kind, String replica, BooleanSupplier report) throws IOException {
        if (kind == IntegrityCheck.NONE) {
            return;
        }
        NativeLibrary.require(); // a missing library would otherwise look like a damaged backup
        List<String> findings = new ArrayList<>();
        try (Connection connection = JDBC.createConnection(SqlitePaths.jdbcUrl(file, IMMUTABLE), new Properties());
                Statement statement = connection.createStatement()) {
            ProgressHandler.setHandler(connection, STEPS_BETWEEN_REPORTS, new ProgressHandler() {
                @Override
                protected int progress() {
                    return report.getAsBoolean() ? 1 : 0;
                }
            });
            String pragma = kind == IntegrityCheck.QUICK ? "quick_check" : "integrity_check";
            try (ResultSet rows = statement.executeQuery("PRAGMA " + pragma + "(" + MAX_FINDINGS + ")")) {
                while (rows.next()) {
                    findings.add(rows.getString(1));
                }
            } finally {
                ProgressHandler.clearHandler(connection);
            }
        } catch (SQLiteException e) {
            if (SqliteCode.primary(e) == SqliteCode.INTERRUPT) {
                throw new StopSignal.StoppedException();
            }
            throw failed(replica, String.valueOf(e.getMessage()), e);
        } catch (SQLException e) {
            throw failed(replica, String.valueOf(e.getMessage()), e);
        }
        if (!findings.equals(List.of("ok"))) {
            throw failed(replica, String.join("; ", findings), null);
        }
    }

    private static RestoreException failed(String replica, String findings, @Nullable SQLException cause) {
        return new RestoreException(
                Reason.INTEGRITY,
                replica,
                "the files are intact, but SQLite finds the database damaged: " + findings,
                "restore an earlier state, or restore without the check to inspect it",
                cause);
    }
}
