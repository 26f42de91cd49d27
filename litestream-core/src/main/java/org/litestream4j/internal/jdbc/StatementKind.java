package org.litestream4j.internal.jdbc;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** Effect of a statement on the transaction, as far as its keywords show. */
enum StatementKind {
    /** Begins a transaction without a lock. */
    BEGIN,

    /** Begins a transaction with the write lock. */
    BEGIN_WRITING,

    /** Ends a transaction. */
    END,

    /** Needs the write lock. */
    WRITE,

    /** Reads, queries or sets something. */
    OTHER;

    private static final Set<String> WRITE_WORDS =
            Set.of("INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "DROP", "ALTER", "REINDEX", "ANALYZE", "VACUUM");

    private static final Pattern WRITES = Pattern.compile(
            "\\b(?:(?:INSERT|REPLACE)\\s+(?:INTO|OR)|DELETE\\s+FROM|UPDATE)\\b", Pattern.CASE_INSENSITIVE);

    private static final Pattern LOCKS = Pattern.compile("\\s+(?:IMMEDIATE|EXCLUSIVE)\\b", Pattern.CASE_INSENSITIVE);

    private static final Pattern TO_SAVEPOINT =
            Pattern.compile("\\s+(?:TRANSACTION\\s+)?TO\\b", Pattern.CASE_INSENSITIVE);

    /** Determines the kind by keywords. A wrong result costs time, not correctness, because SQLite decides. */
    static StatementKind of(String sql) {
        int start = start(sql);
        int end = start;
        while (end < sql.length() && Character.isLetter(sql.charAt(end))) {
            end++;
        }
        String word = sql.substring(start, end).toUpperCase(Locale.ROOT);
        switch (word) {
            case "BEGIN":
                return follows(LOCKS, sql, end) ? BEGIN_WRITING : BEGIN;
            case "SAVEPOINT": // within a transaction it begins none, which makes no difference here
                return BEGIN;
            case "COMMIT", "END":
                return END;
            case "ROLLBACK":
                return follows(TO_SAVEPOINT, sql, end) ? OTHER : END;
            case "WITH":
                return WRITES.matcher(sql).find(end) ? WRITE : OTHER;
            default:
                return WRITE_WORDS.contains(word) ? WRITE : OTHER;
        }
    }

    /** Whether a text begins with VACUUM. */
    static boolean isVacuum(String sql) {
        return sql.regionMatches(true, start(sql), "VACUUM", 0, "VACUUM".length());
    }

    private static boolean follows(Pattern what, String sql, int at) {
        return what.matcher(sql).region(at, sql.length()).lookingAt();
    }

    /** Returns the position after white space, comments and empty statements. */
    private static int start(String sql) {
        int at = SqlTokens.skipBlank(sql, 0);
        while (at < sql.length() && sql.charAt(at) == ';') {
            at = SqlTokens.skipBlank(sql, at + 1);
        }
        return at;
    }
}
