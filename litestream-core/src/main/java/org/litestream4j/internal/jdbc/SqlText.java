package org.litestream4j.internal.jdbc;

import static java.util.Objects.requireNonNull;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.sqlite.ExtendedCommand;
import org.sqlite.ExtendedCommand.BackupCommand;
import org.sqlite.ExtendedCommand.RestoreCommand;

/**
 * SQL of the application, one statement or several, as far as the engine must analyse it before SQLite runs it. Commits
 * are not derived from the text; SQLite reports them.
 *
 * @param kind kind of the first statement
 * @param readsOnly whether the text certainly writes nothing; false in case of doubt
 * @param attaches whether it attaches databases
 * @param detaches whether it detaches databases
 * @param checkpoints checkpoints that wait for readers, in the order of the text
 * @param unreported whether it commits without a report from SQLite: VACUUM, and the driver's command that overwrites a database from
 *     a file
 * @param writtenFile file written by the driver's backup command; null for all other texts
 */
record SqlText(
        String sql,
        StatementKind kind,
        boolean readsOnly,
        boolean attaches,
        boolean detaches,
        List<Checkpoint> checkpoints,
        boolean unreported,
        @Nullable Path writtenFile) {

    private static final Set<String> READING_WORDS =
            Set.of("SELECT", "VALUES", "EXPLAIN", "BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "END", "ROLLBACK");

    /** Pragmas that write without an argument. */
    private static final Set<String> WRITING_PRAGMAS = Set.of("incremental_vacuum", "optimize");

    private static final Set<String> WAITING_MODES = Set.of("full", "restart", "truncate");

    /**
     * A {@code PRAGMA wal_checkpoint} with a mode that waits for readers.
     *
     * @param schema schema in lower case; null for all databases of the connection
     * @param mode mode as written in the text, without quotes
     * @param from start of the mode in the text
     * @param to end of the mode in the text
     */
    record Checkpoint(@Nullable String schema, String mode, int from, int to) {}

    static SqlText of(String sql) {
        StatementKind kind = StatementKind.of(sql);
        boolean several = maySeparate(sql);
        if (kind == StatementKind.WRITE && !several) { // the most frequent texts
            return new SqlText(sql, kind, false, false, false, List.of(), StatementKind.isVacuum(sql), null);
        }
        boolean readsOnly = true;
        boolean attaches = false;
        boolean detaches = false;
        boolean vacuums = false;
        List<Checkpoint> checkpoints = List.of();
        SqlTokens tokens = new SqlTokens(sql);
        do {
            if (!tokens.next() || tokens.is(";")) {
                continue;
            }
            if (tokens.is("PRAGMA")) {
                Pragma pragma = Pragma.parse(tokens);
                readsOnly &= pragma.argument == null && !WRITING_PRAGMAS.contains(pragma.name);
                if (pragma.isWaitingCheckpoint()) {
                    checkpoints = new ArrayList<>(checkpoints);
                    checkpoints.add(new Checkpoint(
                            pragma.schema, requireNonNull(pragma.argument), pragma.argumentFrom, pragma.argumentTo));
                }
            } else {
                attaches |= tokens.is("ATTACH");
                vacuums |= tokens.is("VACUUM");
                detaches |= tokens.is("DETACH");
                readsOnly &= tokens.is("WITH")
                        ? !several && kind == StatementKind.OTHER
                        : READING_WORDS.contains(tokens.name().toUpperCase(Locale.ROOT));
            }
        } while (several && tokens.nextStatement());
        ExtendedCommand.@Nullable SQLExtension command = commandOfDriver(sql);
        return new SqlText(
                sql,
                kind,
                readsOnly,
                attaches,
                detaches,
                checkpoints,
                vacuums || command instanceof RestoreCommand,
                command instanceof BackupCommand backup ? pathOf(backup.destFile) : null);
    }

    /** Returns whether the text contains a semicolon, at any position, that is followed by more text. */
    private static boolean maySeparate(String sql) {
        int at = sql.indexOf(';');
        while (at >= 0 && at < sql.length() && (sql.charAt(at) == ';' || Character.isWhitespace(sql.charAt(at)))) {
            at++;
        }
        return at >= 0 && at < sql.length();
    }

    private static ExtendedCommand.@Nullable SQLExtension commandOfDriver(String sql) {
        if (sql.isEmpty() || "bBrR".indexOf(sql.charAt(0)) < 0) {
            return null; // most texts
        }
        try {
            return ExtendedCommand.parse(sql);
        } catch (SQLException e) {
            return null; // reported by the driver
        }
    }

    private static @Nullable Path pathOf(String file) {
        try {
            return Path.of(file);
        } catch (InvalidPathException e) {
            return null;
        }
    }

    /** Returns the text with passive checkpoints in place of waiting ones, for the databases accepted by the predicate. */
    String withPassiveCheckpoints(Predicate<@Nullable String> wanted) {
        StringBuilder text = new StringBuilder(sql);
        for (int i = checkpoints.size() - 1; i >= 0; i--) {
            Checkpoint checkpoint = checkpoints.get(i);
            if (wanted.test(checkpoint.schema)) {
                text.replace(checkpoint.from, checkpoint.to, "PASSIVE");
            }
        }
        return text.toString();
    }

    /** A PRAGMA statement: {@code PRAGMA [schema.]name [= argument | (argument)]}. */
    private static final class Pragma {
        private @Nullable String schema;
        private String name = "";
        private @Nullable String argument;
        private int argumentFrom;
        private int argumentTo;

        /**
         * @param tokens positioned at the word PRAGMA; on return, after the last relevant token of the statement,
         *     or at its end
         */
        static Pragma parse(SqlTokens tokens) {
            Pragma pragma = new Pragma();
            if (!tokens.next()) {
                return pragma;
            }
            pragma.name = tokens.name().toLowerCase(Locale.ROOT);
            boolean more = !tokens.is(";") && tokens.next();
            if (more && tokens.is(".") && tokens.next()) {
                pragma.schema = pragma.name;
                pragma.name = tokens.name().toLowerCase(Locale.ROOT);
                more = tokens.next();
            }
            if (more && (tokens.is("=") || tokens.is("(")) && tokens.next()) {
                pragma.argument = tokens.name();
                pragma.argumentFrom = tokens.start();
                pragma.argumentTo = tokens.end();
            }
            return pragma;
        }

        boolean isWaitingCheckpoint() {
            return name.equals("wal_checkpoint")
                    && argument != null
                    && WAITING_MODES.contains(argument.toLowerCase(Locale.ROOT));
        }
    }
}
