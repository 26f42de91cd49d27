package org.litestream4j.internal.files;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;

/**
 * Creates files and folders that only their owner can access, regardless of the umask, because they contain pages of
 * databases. On a file system without such permissions, they are created as usual.
 */
public final class PrivateFiles {

    private static final boolean POSIX =
            FileSystems.getDefault().supportedFileAttributeViews().contains("posix");

    private static final FileAttribute<?>[] OF_FILE = attributes("rw-------");

    private static final FileAttribute<?>[] OF_FOLDER = attributes("rwx------");

    private PrivateFiles() {}

    private static FileAttribute<?>[] attributes(String mode) {
        return POSIX
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode))}
                : new FileAttribute<?>[0];
    }

    /** Creates a folder, whose parent must exist. */
    public static void createDirectory(Path folder) throws IOException {
        Files.createDirectory(folder, OF_FOLDER);
    }

    /** Creates a folder and its missing parents. The permissions of existing folders are unchanged. */
    public static void createDirectories(Path folder) throws IOException {
        Files.createDirectories(folder, OF_FOLDER);
    }

    /** Creates an empty file. */
    public static void createFile(Path file) throws IOException {
        Files.createFile(file, OF_FILE);
    }

    /** Opens a file. A file created by this call is private; the permissions of an existing file are unchanged. */
    public static FileChannel open(Path file, OpenOption... options) throws IOException {
        return FileChannel.open(file, Set.of(options), OF_FILE);
    }

    /** Opens a file for writing from its beginning, as {@link Files#newOutputStream} does. */
    public static OutputStream newOutputStream(Path file) throws IOException {
        return Channels.newOutputStream(
                open(file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE));
    }

    /** Removes the permissions of other users from an existing folder, unless another user owns it. */
    public static void restrict(Path folder) throws IOException {
        if (!POSIX) {
            return;
        }
        Set<PosixFilePermission> present = Files.getPosixFilePermissions(folder);
        Set<PosixFilePermission> kept = EnumSet.noneOf(PosixFilePermission.class);
        kept.addAll(present);
        kept.retainAll(PosixFilePermissions.fromString("rwx------"));
        if (!kept.equals(present)) {
            try {
                Files.setPosixFilePermissions(folder, kept);
            } catch (FileSystemException e) {
                // owned by another user, who set the permissions on purpose
            }
        }
    }
}
