package org.litestream4j.internal.capture;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import org.litestream4j.internal.files.DurableFiles;
import org.litestream4j.internal.files.FreeSpace;
import org.litestream4j.internal.files.PrivateFiles;
import org.litestream4j.ltx.DatabaseChecksum;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.Txid;

/**
 * The local files of one level of a database: {@code <meta>/ltx/<level>/<name>}. A file appears under its name only
 * when it is complete and durable.
 */
public final class Staging {

    private static final String UNFINISHED = ".tmp";

    /** Suffix of the default name of the local state. */
    private static final String LOCAL_STATE = "-litestream";

    private final Path folder;

    Staging(Path metaPath, int level) {
        this.folder = metaPath.resolve("ltx").resolve(Integer.toString(level));
    }

    /** Creates the folder and deletes unfinished files, which a crash left. */
    void prepare() throws IOException {
        createFolder();
        try (DirectoryStream<Path> unfinished = Files.newDirectoryStream(folder, "*" + UNFINISHED)) {
            for (Path path : unfinished) {
                Files.deleteIfExists(path);
            }
        }
    }

    /**
     * Creates the folder. Removes the permissions of other users from folders created by an earlier version or another
     * program.
     */
    private void createFolder() throws IOException {
        PrivateFiles.createDirectories(folder);
        Path ltx = requireNonNull(folder.getParent());
        PrivateFiles.restrict(ltx);
        Path metaPath = requireNonNull(ltx.getParent());
        if (metaPath.getFileName().toString().endsWith(LOCAL_STATE)) { // a configured folder may have other uses
            PrivateFiles.restrict(metaPath);
        }
    }

    /** Whether the folder exists. */
    boolean isThere() {
        return Files.isDirectory(folder);
    }

    /** Returns the path of a file. */
    public Path path(LtxFileName name) {
        return folder.resolve(name.toString());
    }

    /** Returns all files, ordered by name. */
    public List<LtxFileName> list() throws IOException {
        List<LtxFileName> names = new ArrayList<>();
        try (DirectoryStream<Path> paths = Files.newDirectoryStream(folder, "*.ltx")) {
            for (Path path : paths) {
                LtxFileName.parse(path.getFileName().toString()).ifPresent(names::add);
            }
        } catch (NoSuchFileException e) {
            return List.of(); // nothing was captured yet
        }
        Collections.sort(names);
        return names;
    }

    /**
     * Returns the file checksum at the end of a file.
     *
     * @throws NoSuchFileException if the file does not exist
     */
    public long fileChecksum(LtxFileName name) throws IOException {
        try (FileChannel channel = FileChannel.open(path(name), StandardOpenOption.READ)) {
            ByteBuffer trailer = ByteBuffer.allocate(Long.BYTES);
            int count = channel.read(trailer, Math.max(0, channel.size() - Long.BYTES));
            if (count < Long.BYTES) {
                throw new LtxFormatException(path(name).toString(), 0, "trailer", "truncated");
            }
            return trailer.getLong(0);
        }
    }

    /**
     * Returns the checksum of the database after a file's transaction; empty if it is unknown.
     *
     * @throws NoSuchFileException if the file does not exist
     */
    public OptionalLong databaseChecksum(LtxFileName name) throws IOException {
        return DatabaseChecksum.of(path(name));
    }

    /** Returns the time at which a file's transaction was captured. */
    public Instant timestamp(LtxFileName name) throws IOException {
        return Files.getLastModifiedTime(path(name)).toInstant();
    }

    /** Deletes a file that is no longer needed. */
    public void delete(LtxFileName name) throws IOException {
        Files.deleteIfExists(path(name));
    }

    /** Returns the number of bytes that can be written to the folder; {@link Long#MAX_VALUE} if that is unknown. */
    long usableSpace() {
        return FreeSpace.of(folder);
    }

    /** Deletes all files whose transactions are after a TXID. */
    void deleteAfter(Txid txid) throws IOException {
        boolean any = false;
        for (LtxFileName name : list()) {
            if (name.max().isAfter(txid)) {
                any |= Files.deleteIfExists(path(name));
            }
        }
        if (any) {
            DurableFiles.forceFolder(folder);
        }
    }

    /** Begins a file. It has no effect before {@link Unfinished#publish}. */
    Unfinished begin(LtxFileName name) throws IOException {
        Path temporary = folder.resolve(name + UNFINISHED);
        Files.deleteIfExists(temporary); // otherwise the new file could keep the database checksum of an old one
        return new Unfinished(
                name, temporary, PrivateFiles.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
    }

    /** A file that is being written. Closing it before it is published discards it. */
    final class Unfinished implements AutoCloseable {
        private final LtxFileName name;
        private final Path temporary;
        private final FileChannel channel;
        private final OutputStream out;
        private boolean published;

        private Unfinished(LtxFileName name, Path temporary, FileChannel channel) {
            this.name = name;
            this.temporary = temporary;
            this.channel = channel;
            this.out = Channels.newOutputStream(channel);
        }

        /** Returns an unbuffered stream to the file. */
        OutputStream out() {
            return out;
        }

        /**
         * Makes the file durable and visible.
         *
         * @param timestampMillis time of the file's transaction, set as its modification time
         * @param databaseChecksum checksum of the database after that transaction, if it is known
         */
        void publish(long timestampMillis, OptionalLong databaseChecksum) throws IOException {
            DatabaseChecksum.attach(temporary, databaseChecksum);
            channel.force(true);
            channel.close();
            Files.setLastModifiedTime(temporary, FileTime.fromMillis(timestampMillis));
            Files.move(temporary, path(name), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            published = true;
            DurableFiles.forceFolder(folder);
        }

        @Override
        public void close() throws IOException {
            channel.close();
            if (!published) {
                Files.deleteIfExists(temporary);
            }
        }
    }
}
