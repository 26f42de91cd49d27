package org.litestream4j.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * The statements of a text, which end at semicolons outside of quotes and comments. The driver runs only the first
 * statement of a text.
 *
 * @param complete statements with their semicolons
 * @param remainder what follows them; empty if that is only white space and whole comments
 */
record SqlStatements(List<String> complete, String remainder) {

    static SqlStatements of(String text) {
        List<String> complete = new ArrayList<>();
        int begin = 0;
        boolean blank = true;
        int at = 0;
        while (at < text.length()) {
            char c = text.charAt(at);
            int end = endOfToken(text, at);
            if (c == ';') {
                if (!blank) {
                    complete.add(text.substring(begin, end).strip());
                }
                begin = end;
                blank = true;
            } else if (!Character.isWhitespace(c) && !isWholeComment(text, at, end)) {
                blank = false;
            }
            at = end;
        }
        return new SqlStatements(List.copyOf(complete), blank ? "" : text.substring(begin));
    }

    private static int endOfToken(String text, int at) {
        if (text.startsWith("--", at)) {
            return after(text, text.indexOf('\n', at), 1);
        }
        if (text.startsWith("/*", at)) {
            return after(text, text.indexOf("*/", at + 2), 2);
        }
        return switch (text.charAt(at)) {
            case '\'', '"', '`' -> after(text, text.indexOf(text.charAt(at), at + 1), 1);
            case '[' -> after(text, text.indexOf(']', at + 1), 1);
            default -> at + 1;
        };
    }

    private static int after(String text, int found, int length) {
        return found < 0 ? text.length() : found + length;
    }

    /** An open comment of several lines is not whole: more of it may follow. */
    private static boolean isWholeComment(String text, int at, int end) {
        return text.startsWith("--", at)
                || (text.startsWith("/*", at) && text.substring(at, end).endsWith("*/"));
    }
}
