package org.litestream4j.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.sql.SQLException;
import org.litestream4j.InvalidOptionException;
import org.litestream4j.LitestreamException;
import org.litestream4j.internal.capture.CaptureException;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.restore.RestoreException;

/** Formats an error as one line for an operator. */
final class ErrorText {

    private ErrorText() {}

    static String of(Throwable e) {
        String message = e.getMessage();
        if (message == null) {
            return e.toString();
        }
        if (e instanceof RestoreException
                || e instanceof ReplicaException
                || e instanceof LitestreamException
                || e instanceof CaptureException) {
            return message; // written for the reader
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
        if (e instanceof FileSystemException || e.getClass() == IOException.class) {
            return message;
        }
        return e.getClass().getSimpleName() + ": " + message;
    }

    private static String text(InvalidOptionException e) {
        String name =
                switch (e.option()) {
                    case "name", "path" -> "the database file";
                    case "metaPath" -> "--meta-path";
                    case "shutdownSyncTimeout" -> "--timeout";
                    default -> e.option();
                };
        return name + " is '" + e.value() + "', but must be " + e.allowed();
    }

    /** Replaces API names by the names of this program's options, and removes parts that concern only Java developers. */
    static String oneLine(String text) {
        return text.replaceAll("\\b(use|with|and) force\\b", "$1 --force")
                .replaceAll("\\blitestream\\.adopt-replica=true\\b", "--adopt-replica")
                .replaceAll("(?s), or add the dependency whose jar .*META-INF/services/[\\w.]+", "")
                .strip()
                .replaceAll("\\s*\\R\\s*", " ");
    }
}
