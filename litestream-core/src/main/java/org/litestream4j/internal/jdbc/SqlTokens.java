package org.litestream4j.internal.jdbc;

/** The tokens of an SQL text, separated as by SQLite, without comments and white space. Not thread-safe. */
final class SqlTokens {

    private final String sql;
    private int start;
    private int end;

    SqlTokens(String sql) {
        this.sql = sql;
    }

    /** Moves to the next token; returns false at the end of the text. */
    boolean next() {
        start = skipBlank(sql, end);
        if (start == sql.length()) {
            end = start;
            return false;
        }
        char first = sql.charAt(start);
        if (first == '\'' || first == '"' || first == '`' || first == '[') {
            end = behind(sql, first == '[' ? ']' : first, start + 1);
        } else {
            end = start + 1;
            while (isWordPart(first) && end < sql.length() && isWordPart(sql.charAt(end))) {
                end++;
            }
        }
        return true;
    }

    /** Moves past the next semicolon that ends a statement; returns false at the end of the text. */
    boolean nextStatement() {
        while (!is(";")) {
            if (!next()) {
                return false;
            }
        }
        return true;
    }

    int start() {
        return start;
    }

    int end() {
        return end;
    }

    /** Returns whether the token is this word or sign, without quotes. */
    boolean is(String word) {
        return end - start == word.length() && sql.regionMatches(true, start, word, 0, word.length());
    }

    /** Returns the token as a name, with its quotes removed. */
    String name() {
        boolean quoted = end - start >= 2 && "'\"`[".indexOf(sql.charAt(start)) >= 0;
        return quoted ? sql.substring(start + 1, end - 1) : sql.substring(start, end);
    }

    /** Returns the position of the first character that is not white space or part of a comment. */
    static int skipBlank(String sql, int from) {
        int at = from;
        while (at < sql.length()) {
            char c = sql.charAt(at);
            if (Character.isWhitespace(c) || c == '\uFEFF') {
                at++;
            } else if (sql.startsWith("--", at)) {
                at = behind(sql, '\n', at);
            } else if (sql.startsWith("/*", at)) {
                int close = sql.indexOf("*/", at + 2);
                at = close < 0 ? sql.length() : close + 2;
            } else {
                return at;
            }
        }
        return at;
    }

    private static int behind(String sql, char what, int from) {
        int at = sql.indexOf(what, from);
        return at < 0 ? sql.length() : at + 1;
    }

    private static boolean isWordPart(char c) {
        return Character.isLetterOrDigit(c) || c == '_' || c == '$' || c > 0x7F;
    }
}
