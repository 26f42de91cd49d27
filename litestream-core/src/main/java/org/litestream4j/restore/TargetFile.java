package org.litestream4j.restore;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.DurableFiles;
import org.litestream4j.internal.files.FreeSpace;
import org.litestream4j.internal.files.MountPoints;
import org.litestream4j.internal.files.NonAsciiNames;
import org.litestream4j.internal.files.SiblingNames;
import org.litestream4j.restore.RestoreException.Reason;

/**
 * The place of the restored database: existing files, the temporary file, and the move to the final name. Java never
 * opens an existing database there: closing it would release the locks of connections in this process.
 */
final class TargetFile {

    private static final List<String> SIDE_FILES = List.of("-wal", "-shm", "-journal");

    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

    private static final int MAX_LINKS = 40;

    private static final String RESTORE = ".restore-";

    private final Path path;
    private final Path folder;
    private final RestoreOptions options;
    private final String replica;
    private final Clock clock;
    private final TemporaryFiles temporaries;

    private TargetFile(Path path, Path folder, RestoreOptions options, String replica) {
        this.path = path;
        this.folder = folder;
        this.options = options;
        this.replica = replica;
        this.clock = options.clock();
        this.temporaries = new TemporaryFiles(
                folder, SiblingNames.of(".", path, RESTORE.length() + TemporaryFiles.MAX_SUFFIX) + RESTORE);
    }

    /** @param replica address of the replica, for messages */
    static TargetFile of(Path target, RestoreOptions options, String replica) throws IOException {
        Path path = behindLinks(target.toAbsolutePath());
        Path folder = path.getParent();
        if (folder == null || Files.isDirectory(path)) {
            throw new RestoreException(
                    Reason.TARGET_EXISTS, replica, path + " is a folder", "name the database file to write", null);
        }
        if (Files.exists(path) && !Files.isRegularFile(path)) { // as root, the move would replace a device file
            throw new RestoreException(
                    Reason.TARGET_EXISTS,
                    replica,
                    path + " is a device, a pipe or a socket",
                    "name the database file to write",
                    null);
        }
        if (MountPoints.contains(path)) {
            throw new RestoreException(
                    Reason.TARGET_EXISTS,
                    replica,
                    path
                            + " is mounted as a single file, which cannot be replaced, and whose WAL would be lost with the"
                            + " container",
                    "mount the folder of the database instead of the file",
                    null);
        }
        try {
            NonAsciiNames.requireText(path);
        } catch (IllegalArgumentException e) {
            throw new RestoreException(Reason.TARGET_EXISTS, replica, path + ": " + e.getMessage(), "", e);
        }
        return new TargetFile(path, folder, options, replica);
    }

    /** Returns the file that SQLite would open or create, even if a link leads to a missing file. */
    private static Path behindLinks(Path target) throws IOException {
        if (Files.isSymbolicLink(target) && Files.exists(target)) {
            return target.toRealPath();
        }
        Path path = target;
        for (int links = 0; Files.isSymbolicLink(path); links++) {
            if (links == MAX_LINKS) {
                throw new FileSystemLoopException(target.toString());
            }
            path = path.resolveSibling(Files.readSymbolicLink(path));
        }
        return path;
    }

    Path path() {
        return path;
    }

    /**
     * Returns whether a database exists. A file of 0 bytes counts as missing: SQLite creates it when a database is only
     * opened. Of the connections that have the database open, only transactions can be detected; a check through SQLite
     * would delete a WAL beside the file.
     */
    private boolean exists() throws IOException {
        return Files.exists(path) && Files.size(path) > 0;
    }

    /**
     * Checks that no file is in the way.
     *
     * @throws RestoreException with {@link Reason#TARGET_EXISTS} or {@link Reason#LEFTOVERS}
     */
    void check() throws IOException {
        if (exists() && !options.force()) {
            throw targetExists(null);
        }
        if (exists() && !ExclusiveUse.isDatabase(path)) {
            throw new RestoreException(
                    Reason.TARGET_EXISTS,
                    replica,
                    path
                            + " is not an SQLite database (it does not begin with SQLite's header), and force replaces"
                            + " only databases",
                    "restore to another file, or move this one away",
                    null);
        }
        if (Files.exists(path) && ExclusiveUse.isSeen(path)) {
            throw ExclusiveUse.refused(path, replica, null);
        }
        List<Path> leftovers = leftovers();
        if (!options.force() && !options.moveLeftoversAside() && !leftovers.isEmpty()) {
            throw new RestoreException(
                    Reason.LEFTOVERS,
                    replica,
                    "beside " + path + " there is " + leftovers + " of another database, which SQLite would apply",
                    "move it away if it is no longer needed, or use {force}, which moves it aside",
                    null);
        }
    }

    private RestoreException targetExists(@Nullable Throwable cause) {
        return new RestoreException(
                Reason.TARGET_EXISTS,
                replica,
                path + " exists",
                "restore to another file, or use {force} to replace it",
                cause);
    }

    private List<Path> leftovers() {
        return SIDE_FILES.stream()
                .map(suffix -> path.resolveSibling(path.getFileName() + suffix))
                .filter(Files::exists)
                .toList();
    }

    /** Creates an empty file beside the target, readable only by its owner, and missing parent folders. */
    Path createTemporary() throws IOException {
        createFolder(folder);
        temporaries.deleteStale();
        return temporaries.create();
    }

    /** Deletes a temporary file unless it was published. */
    void discard(Path temporary) throws IOException {
        temporaries.discard(temporary);
    }

    void deleteStaleTemporaries() throws IOException {
        temporaries.deleteStale();
    }

    /**
     * Checks that the disk has enough free space.
     *
     * @throws RestoreException with {@link Reason#NO_SPACE}
     */
    void requireSpace(long bytes) throws RestoreException {
        long usable = FreeSpace.of(folder);
        if (usable < bytes) {
            throw new RestoreException(
                    Reason.NO_SPACE,
                    replica,
                    "the database needs " + bytes + " bytes, but " + folder + " has " + usable + " left",
                    "free some space or restore to another disk",
                    null);
        }
    }

    /**
     * Moves a finished, durable file to the target's name.
     *
     * @return new names of the side files that were moved aside
     */
    List<Path> publish(Path temporary) throws IOException {
        check(); // a file may have appeared in the meantime
        if (Files.exists(path)) {
            copyAccess(temporary);
        }
        if (!exists()) {
            return move(temporary);
        }
        ExclusiveUse use = ExclusiveUse.take(path, replica);
        try {
            return move(temporary);
        } finally {
            use.close();
        }
    }

    private List<Path> move(Path temporary) throws IOException {
        List<Path> movedAside = moveLeftoversAside(); // first, because they must never meet the new database
        if (options.force() || Files.exists(path)) {
            Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
        } else {
            linkOrMove(temporary);
        }
        DurableFiles.forceFolder(folder);
        return movedAside;
    }

    private void linkOrMove(Path temporary) throws IOException {
        try {
            Files.createLink(path, temporary);
        } catch (FileAlreadyExistsException e) {
            throw targetExists(e);
        } catch (UnsupportedOperationException | FileSystemException e) { // the file system has no links
            if (Files.exists(path)) {
                throw targetExists(e);
            }
            Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
        }
        Files.deleteIfExists(temporary);
    }

    /** Copies owner and permissions of the old file, so that its users can use the new file. */
    private void copyAccess(Path temporary) throws IOException {
        PosixFileAttributeView old = Files.getFileAttributeView(path, PosixFileAttributeView.class);
        PosixFileAttributeView view = Files.getFileAttributeView(temporary, PosixFileAttributeView.class);
        if (old == null || view == null) {
            return;
        }
        PosixFileAttributes attributes = old.readAttributes();
        if (!attributes.owner().equals(view.readAttributes().owner())) {
            try {
                view.setOwner(attributes.owner());
            } catch (FileSystemException e) {
                throw new RestoreException(
                        Reason.TARGET_EXISTS,
                        replica,
                        path + " belongs to " + attributes.owner() + ", and this process may not change the"
                                + " owner of files",
                        "restore as that user",
                        e);
            }
        }
        if (!attributes.group().equals(view.readAttributes().group())) {
            view.setGroup(attributes.group());
        }
        view.setPermissions(attributes.permissions());
    }

    private List<Path> moveLeftoversAside() throws IOException {
        List<Path> moved = new ArrayList<>();
        String suffix = ".before-restore-" + STAMP.format(clock.instant()) + "-"
                + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
        for (Path leftover : leftovers()) {
            Path aside = leftover.resolveSibling(SiblingNames.of("", leftover, suffix.length()) + suffix);
            Files.move(leftover, aside);
            moved.add(aside);
        }
        if (!moved.isEmpty()) {
            DurableFiles.forceFolder(folder);
        }
        return moved;
    }

    private void createFolder(Path folder) throws IOException {
        if (Files.isDirectory(folder)) {
            return;
        }
        if (Files.exists(folder)) {
            throw new RestoreException(
                    Reason.TARGET_EXISTS, replica, folder + " is not a folder", "name another database file", null);
        }
        Path parent = folder.getParent();
        if (parent != null) {
            createFolder(parent);
        }
        Files.createDirectories(folder);
        if (parent != null) {
            DurableFiles.forceFolder(parent);
        }
    }
}
