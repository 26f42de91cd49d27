package org.litestream4j.replica.file;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves a finished file to its final name, if that name is free. A hard link is the only operation of a file system
 * that checks and creates atomically: of two writers, one succeeds. (A move without {@code REPLACE_EXISTING} checks
 * first and then replaces: both succeed.)
 *
 * <p>Thread-safe.
 */
final class Publisher {

    private static final Logger log = LoggerFactory.getLogger(Publisher.class);

    private final Linker linker;

    private final AtomicBoolean warned = new AtomicBoolean();

    Publisher(Linker linker) {
        this.linker = linker;
    }

    static Publisher byLink() {
        return new Publisher(Files::createLink);
    }

    /**
     * Publishes a file. The temporary name may remain.
     *
     * @throws FileAlreadyExistsException if the name is taken
     */
    void publish(Path temporary, Path target) throws IOException {
        try {
            linker.link(target, temporary);
        } catch (FileAlreadyExistsException | AccessDeniedException | NoSuchFileException e) {
            throw e;
        } catch (UnsupportedOperationException | FileSystemException e) {
            moveAsSingleWriter(temporary, target, e);
        }
    }

    private void moveAsSingleWriter(Path temporary, Path target, Exception cause) throws IOException {
        if (warned.compareAndSet(false, true)) {
            log.warn(
                    "{}: no hard links here ({}): files are published by a move instead, which is safe only while a"
                            + " single process writes to this folder",
                    target.getParent(),
                    cause.toString());
        }
        synchronized (this) { // excludes at least the other writers of this client
            if (Files.exists(target)) {
                throw new FileAlreadyExistsException(target.toString());
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    /** {@link Files#createLink}, or the behaviour of a file system without links. */
    @FunctionalInterface
    interface Linker {
        void link(Path link, Path existing) throws IOException;
    }
}
