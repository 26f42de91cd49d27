package org.litestream4j.spring.actuate;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;

/**
 * The folder to which a restore over HTTP may write. Files have plain names, and a database in use by this application
 * is never overwritten.
 */
final class RestoreFolder {

    /** Matches names without separators, hidden files, and characters with a special meaning in file systems. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,126}[A-Za-z0-9]|[A-Za-z0-9]");

    /** Suffixes of files that SQLite would treat as part of another database. */
    private static final List<String> SIDE_FILES = List.of("-wal", "-shm", "-journal");

    private final @Nullable Path folder;
    private final long quota;
    private final Litestream litestream;

    /**
     * @param folder absolute path; null if no files may be written
     * @param quota maximum total size of its files in bytes
     */
    RestoreFolder(@Nullable Path folder, long quota, Litestream litestream) {
        this.folder = folder;
        this.quota = quota;
        this.litestream = litestream;
    }

    /**
     * Returns the file of a name.
     *
     * @param force whether an existing file is replaced
     * @throws RequestException if such a file is not allowed
     */
    Path resolve(String name, boolean force) {
        if (folder == null) {
            throw RequestException.badRequest("target: restores to files are disabled; set"
                    + " litestream.restore.directory, or use inPlace: true");
        }
        if (!NAME.matcher(name).matches()) {
            throw RequestException.badRequest(
                    "target = " + RequestException.echo(name) + ": must be a plain file name, 1 to 128 letters, digits"
                            + " and . _ - between them; the file is written to litestream.restore.directory");
        }
        if (SIDE_FILES.stream().anyMatch(name.toLowerCase(Locale.ROOT)::endsWith)) {
            throw RequestException.badRequest(
                    "target = " + name + ": names that end in -wal, -shm or -journal are" + " SQLite's own");
        }
        Path file = folder.resolve(name);
        refuseUnsuitable(file, name);
        if (!force && isThere(file)) {
            throw new RequestException(
                    RequestException.CONFLICT,
                    "target = " + name + ": exists; choose another name, or set force: true");
        }
        return file;
    }

    /**
     * Rejects a restore that exceeds the quota of the folder.
     *
     * @param file file to be written; a file that is replaced does not count
     * @param size approximate size of the new file
     */
    void refuseBeyondQuota(Path file, long size) {
        long others = files().stream()
                .filter(each -> !each.name().equals(file.getFileName().toString()))
                .mapToLong(RestoredFile::bytes)
                .sum();
        if (others + size > quota) {
            throw new RequestException(
                    RequestException.CONFLICT,
                    "target = " + file.getFileName() + ": about " + size + " bytes beside " + others
                            + " would exceed litestream.restore.directory-size (" + quota
                            + " bytes); delete files there (DELETE .../files/<name>), or raise the setting");
        }
    }

    /**
     * One restored file.
     *
     * @param modifiedAt time of the last modification, ISO 8601
     */
    record RestoredFile(String name, long bytes, String modifiedAt) {}

    /** Returns the existing files by name, without temporary files. */
    List<RestoredFile> files() {
        if (folder == null || !Files.isDirectory(folder)) {
            return List.of();
        }
        List<RestoredFile> files = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                if (NAME.matcher(name).matches() && Files.isRegularFile(entry, LinkOption.NOFOLLOW_LINKS)) {
                    files.add(new RestoredFile(
                            name,
                            Files.size(entry),
                            Files.getLastModifiedTime(entry).toInstant().toString()));
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            throw new RequestException(
                    RequestException.SERVICE_UNAVAILABLE, "litestream.restore.directory cannot be listed: " + e);
        }
        files.sort(Comparator.comparing(RestoredFile::name));
        return files;
    }

    /** Deletes a restored file and SQLite's files beside it. Databases of this application are never deleted. */
    void delete(String name) {
        if (folder == null
                || files().stream().noneMatch(file -> file.name().equals(name))
                || SIDE_FILES.stream().anyMatch(name.toLowerCase(Locale.ROOT)::endsWith)) {
            throw new RequestException(
                    RequestException.NOT_FOUND,
                    RequestException.echo(name) + ": no such file in litestream.restore.directory");
        }
        Path file = folder.resolve(name);
        refuseUnsuitable(file, name);
        try {
            Files.deleteIfExists(file);
            for (String side : SIDE_FILES) {
                Files.deleteIfExists(folder.resolve(name + side));
            }
        } catch (IOException e) {
            throw new RequestException(RequestException.SERVICE_UNAVAILABLE, name + " cannot be deleted: " + e);
        }
    }

    private void refuseUnsuitable(Path file, String name) {
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw RequestException.badRequest("target = " + name + ": is a link, a folder or a device");
        }
        for (ManagedDatabase database : litestream.databases()) {
            if (isSame(file, database.config().path())) {
                throw RequestException.badRequest(
                        "target = " + name + ": is the database " + database.name() + "; use inPlace: true");
            }
        }
    }

    /** Returns whether a file exists; as in SQLite, an empty file counts as missing. */
    private static boolean isThere(Path file) {
        try {
            return Files.exists(file) && Files.size(file) > 0;
        } catch (IOException e) {
            return true;
        }
    }

    private static boolean isSame(Path file, Path database) {
        try {
            return file.equals(database)
                    || (Files.exists(file) && Files.exists(database) && Files.isSameFile(file, database));
        } catch (IOException e) {
            return true; // unknown
        }
    }
}
