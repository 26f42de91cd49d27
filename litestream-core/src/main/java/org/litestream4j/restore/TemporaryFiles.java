package org.litestream4j.restore;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Temporary files beside a database. While a file is in use, its process holds a lock on {@code <file>.lock}. The lock
 * tells other processes which files were left by a killed process, even if two containers use the same process number.
 */
final class TemporaryFiles {

    private static final Logger log = LoggerFactory.getLogger(TemporaryFiles.class);

    /** The part of a name after the prefix: process number and a random number. */
    private static final Pattern SUFFIX = Pattern.compile("\\d{1,18}-[0-9a-f]{16}\\.tmp");

    private static final String LOCK = ".lock";

    /** Maximum length in bytes of what follows the prefix, in the name of a file or of its lock. */
    static final int MAX_SUFFIX = 18 + 1 + 16 + ".tmp".length() + LOCK.length();

    /** Age from which a file counts as left over if locks are not available. */
    private static final Duration STALE = Duration.ofDays(1);

    /** Files of this process that are in use, each with the channel that holds its lock. */
    private static final Map<Path, FileChannel> ACTIVE = new ConcurrentHashMap<>();

    private final Path folder;
    private final String prefix;

    /** @param prefix prefix of the file names */
    TemporaryFiles(Path folder, String prefix) {
        this.folder = folder;
        this.prefix = prefix;
    }

    /** Creates an empty file, readable only by its owner. */
    Path create() throws IOException {
        String suffix = ProcessHandle.current().pid() + "-"
                + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong()) + ".tmp";
        Path file = folder.resolve(prefix + suffix);
        try {
            ACTIVE.put(file, lock(file));
        } catch (FileSystemException e) {
            throw e.getReason() == null ? e : ofFolder(e);
        }
        try {
            return Files.createFile(file, ownerOnly());
        } catch (IOException | RuntimeException e) {
            release(file);
            throw e;
        }
    }

    /** The name of a temporary file would tell nothing. */
    private FileSystemException ofFolder(FileSystemException e) {
        FileSystemException known =
                new FileSystemException(folder.toString(), null, "no file can be created there: " + e.getReason());
        known.initCause(e);
        return known;
    }

    private FileAttribute<?>[] ownerOnly() {
        return Files.getFileAttributeView(folder, PosixFileAttributeView.class) == null
                ? new FileAttribute<?>[0]
                : new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                };
    }

    private FileChannel lock(Path file) throws IOException {
        FileChannel channel = FileChannel.open(
                lockOf(file), Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), ownerOnly());
        try {
            channel.tryLock();
        } catch (IOException e) { // a file system without locks: other processes cannot lock it, either
            log.debug("no lock on {}", file, e);
        }
        return channel;
    }

    private static Path lockOf(Path file) {
        return file.resolveSibling(file.getFileName() + LOCK);
    }

    /** Deletes a file unless it was moved away. */
    void discard(Path file) throws IOException {
        try {
            Files.deleteIfExists(file);
        } finally {
            release(file);
        }
    }

    private static void release(Path file) throws IOException {
        FileChannel lock = ACTIVE.get(file);
        if (lock != null) {
            try (lock) {
                Files.deleteIfExists(lockOf(file));
            } finally {
                ACTIVE.remove(file);
            }
        }
    }

    /** Deletes files left by killed processes, so that a process that is killed repeatedly does not fill the disk. */
    void deleteStale() throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(
                folder, file -> file.getFileName().toString().startsWith(prefix))) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                if (SUFFIX.matcher(name.substring(prefix.length())).matches()) {
                    deleteIfStale(file);
                } else if (name.endsWith(LOCK)) {
                    deleteOrphan(file);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
    }

    private void deleteIfStale(Path file) throws IOException {
        if (ACTIVE.containsKey(file)) { // closing the channel would release the lock
            return;
        }
        try (FileChannel channel = FileChannel.open(lockOf(file), StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            if (lock != null) {
                Files.deleteIfExists(file);
                Files.deleteIfExists(lockOf(file));
            }
        } catch (NoSuchFileException e) { // created by an earlier release
            if (isProcessGone(file)) {
                Files.deleteIfExists(file);
            } else {
                deleteIfOld(file);
            }
        } catch (IOException e) {
            log.debug("no lock on {}", file, e);
            deleteIfOld(file);
        }
    }

    private boolean isProcessGone(Path file) {
        String suffix = file.getFileName().toString().substring(prefix.length());
        long pid = Long.parseLong(suffix.substring(0, suffix.indexOf('-')));
        return pid == ProcessHandle.current().pid()
                || !ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
    }

    /**
     * Deletes a lock file without its file: the process was killed between creating the two, or is just about to create
     * the file.
     */
    private static void deleteOrphan(Path lock) throws IOException {
        String name = lock.getFileName().toString();
        Path file = lock.resolveSibling(name.substring(0, name.length() - LOCK.length()));
        if (!ACTIVE.containsKey(file) && !Files.exists(file)) {
            deleteIfOld(lock);
        }
    }

    private static void deleteIfOld(Path file) throws IOException {
        try {
            if (Files.getLastModifiedTime(file)
                    .toInstant()
                    .isBefore(Instant.now().minus(STALE))) {
                Files.deleteIfExists(file);
            }
        } catch (NoSuchFileException e) {
            // deleted by its process
        }
    }
}
