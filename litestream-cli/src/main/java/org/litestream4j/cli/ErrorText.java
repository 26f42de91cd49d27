package org.litestream4j.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.sql.SQLException;
import org.litestream4j.InvalidOptionException;
import org.litestream4j.error.OptionNames;
import org.litestream4j.error.RemedyException;
import org.litestream4j.internal.files.FileProblem;

/** Formats an error as one line for an operator. */
final class ErrorText {

    private ErrorText() {}

    static String of(Throwable e) {
        String message = e.getMessage();
        if (message == null) {
            return e.toString();
        }
        if (e instanceof RemedyException known) {
            return known.message(ErrorText::option);
        }
        if (e instanceof InvalidOptionException option) {
            return text(option);
        }
        if (e instanceof SQLException) {
            return message;
        }
        if (e instanceof NoSuchFileException) {
            return "no such file: " + message;
        }
        if (e instanceof AccessDeniedException) {
            return "access denied: " + message;
        }
        if (e instanceof FileSystemException file) {
            return FileProblem.of(file);
        }
        if (e instanceof IOException || e instanceof IllegalArgumentException || e instanceof IllegalStateException) {
            return message; // a text for operators
        }
        return e.getClass().getSimpleName() + ": " + message;
    }

    private static String text(InvalidOptionException e) {
        String name =
                switch (e.option()) {
                    case "name", "path" -> "the database file";
                    case "metaPath" -> "the folder of the local state";
                    case "shutdownSyncTimeout" -> "--timeout";
                    default -> e.option();
                };
        return name + " is '" + e.value() + "', but must be " + e.allowed();
    }

    /** Names an option of a database as this program does. */
    static String option(String option, String value) {
        return switch (option) {
            case "adoptReplica" -> "--adopt-replica";
            case "databaseChecksum" -> "--ignore-database-checksum";
            case "force" -> "--force";
            default -> "the application's option " + OptionNames.PLAIN.name(option, value);
        };
    }

    /** Removes parts that concern only Java developers, and line breaks. */
    static String oneLine(String text) {
        return text.replaceAll("(?s), or add the dependency whose jar .*META-INF/services/[\\w.]+", "")
                .strip()
                .replaceAll("\\s*\\R\\s*", " ");
    }
}
