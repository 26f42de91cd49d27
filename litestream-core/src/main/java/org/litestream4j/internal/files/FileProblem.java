package org.litestream4j.internal.files;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;

/** Describes why a file or folder cannot be used, without the names of Java's classes. */
public final class FileProblem {

    private FileProblem() {}

    /** Returns the reason and, where the exception contains it, the file. */
    public static String of(IOException e) {
        if (!(e instanceof FileSystemException file)) {
            return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        }
        String reason = reason(file);
        return file.getFile() == null ? reason : file.getFile() + ": " + reason;
    }

    private static String reason(FileSystemException e) {
        if (e instanceof AccessDeniedException) {
            return "access denied";
        }
        if (e instanceof NoSuchFileException) {
            return "no such file or folder";
        }
        if (e instanceof FileAlreadyExistsException) {
            return "a file of this name exists";
        }
        if (e instanceof FileSystemLoopException) {
            return "its symbolic links form a loop";
        }
        return e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
    }
}
