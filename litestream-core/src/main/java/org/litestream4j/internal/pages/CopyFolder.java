package org.litestream4j.internal.pages;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.PrivateFiles;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The folder of the hydrated file of one replica, locked against other processes and other users in this one. */
final class CopyFolder implements Closeable {

    private static final Logger log = LoggerFactory.getLogger(CopyFolder.class);

    private static final String TEMPORARY = "litestream-pages";

    private static final String LOCK = ".lock";

    /** Minimum age of a temporary folder before its lock is checked: its creator may be about to lock it. */
    private static final Duration SETTLED = Duration.ofMinutes(1);

    /**
     * Lock files that are open in this process. On POSIX systems, closing any channel of a file releases the process's lock
     * of it, so that a locked file must not be opened again.
     */
    private static final Set<Path> LOCKED = ConcurrentHashMap.newKeySet();

    /** Channels of files that this library has locked through another class loader; never closed, for the same reason. */
    private static final Queue<FileChannel> LOCKED_ELSEWHERE = new ConcurrentLinkedQueue<>();

    private final Path path;
    private final String name;
    private final @Nullable FileChannel lock;
    private final boolean temporary;

    private CopyFolder(Path path, String name, @Nullable FileChannel lock, boolean temporary) {
        this.path = path;
        this.name = name;
        this.lock = lock;
        this.temporary = temporary;
    }

    /**
     * Opens a folder.
     *
     * @param wanted folder to use if it is free; null for a temporary one
     */
    static CopyFolder open(@Nullable Path wanted, String replica) throws IOException {
        String name = "hydrated-" + StoredIndexes.key(replica);
        if (wanted != null) {
            PrivateFiles.createDirectories(wanted);
            CopyFolder locked = lock(wanted.toRealPath(), name, false);
            if (locked != null) {
                return locked;
            }
            log.warn("{} is already hydrated in {}; a temporary folder is used instead", replica, wanted);
        }
        sweep();
        Path made = Files.createTempDirectory(TEMPORARY).toRealPath();
        try {
            CopyFolder locked = lock(made, name, true);
            if (locked != null) {
                return locked;
            }
        } catch (IOException e) { // the file system has no locks, so that no other process deletes unlocked folders
            log.debug("{} cannot be locked: {}", made, e.toString());
        }
        return new CopyFolder(made, name, null, true);
    }

    /** Returns a folder; null if it is locked. */
    private static @Nullable CopyFolder lock(Path folder, String name, boolean temporary) throws IOException {
        Path file = folder.resolve(name + LOCK);
        if (!LOCKED.add(file)) {
            return null;
        }
        boolean locked = false;
        try {
            FileChannel channel = PrivateFiles.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            locked = tryLock(channel);
            return locked ? new CopyFolder(folder, name, channel, temporary) : null;
        } finally {
            if (!locked) {
                LOCKED.remove(file);
            }
        }
    }

    /** Locks a file; closes its channel if another process has locked it. */
    private static boolean tryLock(FileChannel channel) throws IOException {
        boolean open = false;
        try {
            open = channel.tryLock() != null;
            return open;
        } catch (OverlappingFileLockException e) {
            LOCKED_ELSEWHERE.add(channel);
            open = true;
            return false;
        } finally {
            if (!open) {
                channel.close();
            }
        }
    }

    /** Deletes the temporary folders of processes that were killed. */
    private static void sweep() {
        Path parent = Path.of(System.getProperty("java.io.tmpdir"));
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent, TEMPORARY + "*")) {
            for (Path folder : folders) {
                sweep(folder);
            }
        } catch (IOException | DirectoryIteratorException e) {
            log.debug("left-over folders in {} cannot be found: {}", parent, e.toString());
        }
    }

    private static void sweep(Path folder) {
        try {
            Instant limit = Instant.now().minus(SETTLED);
            if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
                    || Files.getLastModifiedTime(folder).toInstant().isAfter(limit)) {
                return;
            }
            try (DirectoryStream<Path> locks = Files.newDirectoryStream(folder, "hydrated-*" + LOCK)) {
                for (Path file : locks) {
                    String lock = file.getFileName().toString();
                    CopyFolder abandoned =
                            lock(folder.toRealPath(), lock.substring(0, lock.length() - LOCK.length()), true);
                    if (abandoned != null) {
                        abandoned.close();
                    }
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            log.debug("left-over folder {} cannot be deleted: {}", folder, e.toString());
        }
    }

    /** Returns the path of the record of the hydrated file. */
    Path record() {
        return path.resolve(name + ".state");
    }

    /** Returns the path of the journal of a file that is being filled. */
    Path journal() {
        return path.resolve(name + ".blocks");
    }

    /** Returns whether a file of this name is one of {@link #newFile}. */
    boolean isHydrated(String file) {
        return file.startsWith(name + "-")
                && file.endsWith(".db")
                && Path.of(file).getNameCount() == 1;
    }

    /** Returns the path of a file of this folder. */
    Path resolve(String file) {
        return path.resolve(file);
    }

    /** Returns the path of a new file, which no other process chooses either. */
    Path newFile() {
        return path.resolve(name + "-" + UUID.randomUUID() + ".db");
    }

    /** Deletes all hydrated files but one, complete or not; readers keep what they have mapped. */
    void deleteOthers(String kept) throws IOException {
        try (Stream<Path> files = Files.list(path)) {
            for (Path file : files.toList()) {
                String other = file.getFileName().toString();
                boolean ours = other.startsWith(name + "-") || other.startsWith("." + name + "-");
                if (ours && !other.equals(kept)) {
                    try {
                        Files.deleteIfExists(file);
                    } catch (IOException e) {
                        log.debug("left-over file {} cannot be deleted: {}", file, e.toString());
                    }
                }
            }
        }
    }

    /** Unlocks the folder, and deletes it if it is temporary. */
    @Override
    public void close() throws IOException {
        Path file = path.resolve(name + LOCK);
        try {
            if (temporary) {
                Files.deleteIfExists(record());
                Files.deleteIfExists(journal());
                deleteOthers("");
            }
        } finally {
            if (lock != null) {
                lock.close();
                LOCKED.remove(file);
            }
        }
        if (temporary) {
            Files.deleteIfExists(file);
            Files.deleteIfExists(path);
        }
    }
}
