package org.litestream4j.replica.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HexFormat;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.litestream4j.internal.files.DurableFiles;
import org.litestream4j.internal.files.PrivateFiles;
import org.litestream4j.ltx.DatabaseChecksum;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.ReplicaUpload;

/** Writes a file under a temporary name beside the final one. */
final class FileReplicaUpload extends ReplicaUpload {

    private static final int BUFFER = 64 * 1024;

    /**
     * Temporary files of this process. A lock has no effect within a process, and closing a channel to such a file
     * would release it.
     */
    private static final Set<Path> RUNNING = ConcurrentHashMap.newKeySet();

    private final FileReplicaClient client;

    private final Publisher publisher;

    private final int level;

    private final LtxFileName name;

    private final Instant timestamp;

    private final OptionalLong databaseChecksum;

    private final Path temporary;

    private final FileChannel channel;

    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER);

    private long written;

    private boolean published;

    private FileReplicaUpload(
            FileReplicaClient client,
            Publisher publisher,
            int level,
            LtxFileName name,
            Instant timestamp,
            OptionalLong databaseChecksum,
            Path temporary,
            FileChannel channel) {
        this.client = client;
        this.publisher = publisher;
        this.level = level;
        this.name = name;
        this.timestamp = timestamp;
        this.databaseChecksum = databaseChecksum;
        this.temporary = temporary;
        this.channel = channel;
    }

    /** Starts an upload. The folder of the level must exist. */
    static FileReplicaUpload begin(
            FileReplicaClient client,
            Publisher publisher,
            int level,
            LtxFileName name,
            Instant timestamp,
            OptionalLong databaseChecksum)
            throws IOException {
        String suffix = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
        Path temporary = client.folder(level).resolve("." + name + "." + suffix + ".tmp");
        FileChannel channel = PrivateFiles.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        RUNNING.add(temporary);
        try {
            channel.tryLock();
        } catch (IOException e) {
            // the file system has no locks: a left-over file is recognized by its age
        }
        return new FileReplicaUpload(client, publisher, level, name, timestamp, databaseChecksum, temporary, channel);
    }

    /** Returns whether the upload that wrote a temporary file has ended, most likely with its process: its lock is free. */
    static boolean isLeftOver(Path temporary) {
        if (RUNNING.contains(temporary)) {
            return false;
        }
        try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            return lock != null;
        } catch (IOException | OverlappingFileLockException e) {
            return false;
        }
    }

    @Override
    public void write(int value) throws IOException {
        client.checkOpen();
        if (!buffer.hasRemaining()) {
            drain();
        }
        buffer.put((byte) value);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        client.checkOpen();
        if (length > buffer.remaining()) {
            drain();
        }
        if (length >= buffer.capacity()) {
            writeFully(ByteBuffer.wrap(bytes, offset, length));
        } else {
            buffer.put(bytes, offset, length);
        }
    }

    private void drain() throws IOException {
        buffer.flip();
        writeFully(buffer);
        buffer.clear();
    }

    private void writeFully(ByteBuffer source) throws IOException {
        written += source.remaining();
        while (source.hasRemaining()) {
            channel.write(source);
        }
    }

    @Override
    public LtxFileInfo publish() throws IOException {
        client.checkOpen();
        if (published) {
            throw new IllegalStateException("published already: " + name);
        }
        drain();
        Files.setLastModifiedTime(temporary, FileTime.from(timestamp));
        DatabaseChecksum.attach(temporary, databaseChecksum);
        channel.force(true);
        channel.close();
        Path target = client.path(level, name);
        try {
            publisher.publish(temporary, target);
        } catch (FileAlreadyExistsException e) {
            requireSameContent(target, e);
        }
        DurableFiles.forceFolder(client.folder(level));
        LtxFileInfo there = client.info(level, name);
        if (there.size() != written) {
            Files.deleteIfExists(target);
            throw new ReplicaException(
                    client.url(),
                    name + " of level " + level + " has " + there.size() + " bytes, but " + written
                            + " were written: the file system lost some, and the file was deleted",
                    "check the disk and its mount options",
                    null);
        }
        published = true;
        return there;
    }

    private void requireSameContent(Path target, FileAlreadyExistsException cause) throws IOException {
        if (Files.mismatch(temporary, target) >= 0) {
            throw new ReplicaConflictException(
                    client.url(),
                    name + " of level " + level + " exists with other content",
                    "another process writes to this replica: let only one database replicate there",
                    cause);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            Files.deleteIfExists(temporary);
            RUNNING.remove(temporary);
        }
    }
}
