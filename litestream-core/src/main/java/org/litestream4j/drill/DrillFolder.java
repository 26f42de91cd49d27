package org.litestream4j.drill;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import org.litestream4j.internal.files.PrivateFiles;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Folder of one drill below the directory for drills, deleted with its content when the drill ends. Its process holds a
 * lock on a file beside it, which tells other processes that the drill is running; folders of killed processes are
 * deleted by the next drill.
 */
final class DrillFolder implements Closeable {

    private static final Logger log = LoggerFactory.getLogger(DrillFolder.class);

    private static final String LOCK = ".lock";

    /** End of the names of restored databases. */
    private static final String DATABASE = ".db";

    private static final Pattern LOCK_NAME = Pattern.compile("litestream-drill-[0-9a-f]{16}\\.lock");

    /** Age from which a folder counts as left over if the file system has no locks. */
    private static final Duration STALE = Duration.ofDays(1);

    /** Lock files of this process that are in use. Closing another channel of such a file would release the lock. */
    private static final Set<Path> ACTIVE = ConcurrentHashMap.newKeySet();

    private final Path path;
    private final Path lockFile;
    private final FileChannel lock;

    private DrillFolder(Path path, Path lockFile, FileChannel lock) {
        this.path = path;
        this.lockFile = lockFile;
        this.lock = lock;
    }

    /** Deletes what killed drills have left in a directory, and creates a folder for a new drill. */
    static DrillFolder create(Path directory) throws IOException {
        Path parent = directory.toAbsolutePath().normalize();
        PrivateFiles.createDirectories(parent);
        deleteStale(parent);
        Path path = parent.resolve("litestream-drill-"
                + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong()));
        Path lockFile = parent.resolve(path.getFileName() + LOCK);
        ACTIVE.add(lockFile);
        FileChannel channel = null;
        try {
            channel = PrivateFiles.open(lockFile, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            lock(channel);
            PrivateFiles.createDirectory(path);
            return new DrillFolder(path, lockFile, channel);
        } catch (IOException | RuntimeException e) {
            if (channel != null) {
                channel.close();
            }
            ACTIVE.remove(lockFile);
            throw e;
        }
    }

    private static void lock(FileChannel channel) {
        try {
            channel.tryLock();
        } catch (IOException e) { // a file system without locks: other processes cannot lock it, either
            log.debug("cannot lock the folder of a drill", e);
        }
    }

    /** Returns the path of a database in this folder. */
    Path database(String name) {
        return path.resolve(name + DATABASE);
    }

    private static void deleteStale(Path parent) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(
                parent, file -> LOCK_NAME.matcher(file.getFileName().toString()).matches())) {
            for (Path file : files) {
                if (!ACTIVE.contains(file)) {
                    deleteIfStale(file);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
    }

    private static void deleteIfStale(Path lockFile) throws IOException {
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.WRITE)) {
            FileLock lock;
            try {
                lock = channel.tryLock();
            } catch (OverlappingFileLockException e) {
                return;
            } catch (IOException e) {
                log.debug("cannot lock {}", lockFile, e);
                Instant limit = Instant.now().minus(STALE);
                if (Files.getLastModifiedTime(lockFile).toInstant().isBefore(limit)) {
                    delete(lockFile);
                }
                return;
            }
            if (lock != null) {
                delete(lockFile);
                log.info("deleted what an interrupted drill had left: path={}", folderOf(lockFile));
            }
        } catch (NoSuchFileException e) {
            // deleted by its process
        }
    }

    private static Path folderOf(Path lockFile) {
        String name = lockFile.getFileName().toString();
        return lockFile.resolveSibling(name.substring(0, name.length() - LOCK.length()));
    }

    /** Deletes a folder and then its lock file, so that an interruption leaves the lock file for the next drill. */
    private static void delete(Path lockFile) throws IOException {
        Path folder = folderOf(lockFile);
        if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) { // a link would lead to files of others
            try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, DrillFolder::isOfDrill)) {
                for (Path file : files) {
                    Files.deleteIfExists(file);
                }
            } catch (DirectoryIteratorException e) {
                throw e.getCause();
            }
        }
        Files.deleteIfExists(folder);
        Files.deleteIfExists(lockFile);
    }

    /** Returns whether a drill creates files of this name: restored databases, and temporary files of the restore. */
    private static boolean isOfDrill(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(DATABASE) || name.contains(DATABASE + ".restore-");
    }

    /** Deletes the folder with its files. */
    @Override
    public void close() throws IOException {
        try {
            delete(lockFile);
        } finally {
            lock.close();
            ACTIVE.remove(lockFile);
        }
    }
}
