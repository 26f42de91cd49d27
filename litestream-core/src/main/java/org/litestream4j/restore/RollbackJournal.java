package org.litestream4j.restore;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.util.concurrent.ThreadLocalRandom;
import org.litestream4j.internal.files.DurableFiles;
import org.litestream4j.internal.files.PrivateFiles;

/**
 * Rollback journal with the old pages of a database that is about to be changed, in the form that SQLite itself rolls
 * back after a crash (sqlite.org/fileformat2.html, "The Rollback Journal"). The header is written last: without it,
 * SQLite ignores the file. With it, the next connection that opens the database restores the pages, until the file is
 * deleted. Not thread-safe.
 */
final class RollbackJournal implements Closeable {

    private static final long MAGIC = 0xd9d5_05f9_20a1_63d7L;

    /** Size of a sector in bytes; the header fills one sector. */
    private static final int SECTOR = 512;

    private static final int CHECKSUM_STEP = 200;

    private static final int BUFFER = 1 << 18;

    private final Path path;
    private final FileChannel channel;
    private final int pageSize;
    private final long pages;
    private final int nonce = ThreadLocalRandom.current().nextInt();
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
    private int records;
    private boolean hot;

    private RollbackJournal(Path path, FileChannel channel, int pageSize, long pages) {
        this.path = path;
        this.channel = channel;
        this.pageSize = pageSize;
        this.pages = pages;
        buffer.put(new byte[SECTOR]);
    }

    static Path of(Path database) {
        return database.resolveSibling(database.getFileName() + "-journal");
    }

    /** Returns whether there is a journal that SQLite would roll back if its writer has ended. */
    static boolean isHot(Path database) throws IOException {
        if (!Files.exists(of(database))) {
            return false;
        }
        try (FileChannel journal = FileChannel.open(of(database), StandardOpenOption.READ)) {
            ByteBuffer first = ByteBuffer.allocate(1);
            return journal.read(first) == 1 && first.get(0) != 0;
        }
    }

    /**
     * Creates a journal. There must be none.
     *
     * @param pageSize page size of the database before the change
     * @param pages size of the database in pages before the change
     */
    static RollbackJournal create(Path database, int pageSize, long pages) throws IOException {
        Path path = of(database);
        FileChannel channel = PrivateFiles.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        try {
            copyPermissions(database, path); // users of the database may have to roll back
        } catch (IOException e) {
            try (channel) {
                Files.deleteIfExists(path);
            } catch (IOException suppressed) {
                e.addSuppressed(suppressed);
            }
            throw e;
        }
        return new RollbackJournal(path, channel, pageSize, pages);
    }

    private static void copyPermissions(Path from, Path to) throws IOException {
        PosixFileAttributeView old = Files.getFileAttributeView(from, PosixFileAttributeView.class);
        PosixFileAttributeView view = Files.getFileAttributeView(to, PosixFileAttributeView.class);
        if (old != null && view != null) {
            view.setPermissions(old.readAttributes().permissions());
        }
    }

    /** Adds a page as it is before the change. */
    void add(long pgno, byte[] page) throws IOException {
        if (buffer.remaining() < pageSize + 2 * Integer.BYTES) {
            flush();
        }
        buffer.putInt((int) pgno).put(page, 0, pageSize).putInt(checksum(page));
        records = Math.incrementExact(records);
    }

    private int checksum(byte[] page) {
        int sum = nonce;
        for (int at = pageSize - CHECKSUM_STEP; at > 0; at -= CHECKSUM_STEP) {
            sum += page[at] & 0xFF;
        }
        return sum;
    }

    private void flush() throws IOException {
        buffer.flip();
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
        buffer.clear();
    }

    /** Writes the header and forces the journal to the disk. From then on, the pages that it contains may be changed. */
    void seal() throws IOException {
        flush();
        channel.force(true);
        buffer.putLong(MAGIC)
                .putInt(records)
                .putInt(nonce)
                .putInt((int) pages)
                .putInt(SECTOR)
                .putInt(pageSize)
                .flip();
        hot = true; // the header may be on the disk from here on
        long at = 0;
        while (buffer.hasRemaining()) {
            at += channel.write(buffer, at);
        }
        buffer.clear();
        channel.force(true);
        DurableFiles.forceFolderOf(path);
    }

    /** Deletes the journal: after all changes are durable, or if nothing was changed. */
    void delete() throws IOException {
        channel.close();
        Files.delete(path);
        hot = false;
        DurableFiles.forceFolderOf(path);
    }

    /**
     * Closes the journal. A sealed journal stays in place, and the next connection that opens the database rolls the
     * change back.
     */
    @Override
    public void close() throws IOException {
        channel.close();
        if (!hot) {
            Files.deleteIfExists(path);
        }
    }
}
