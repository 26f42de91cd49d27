package org.litestream4j.restore;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import java.util.function.BooleanSupplier;
import org.litestream4j.internal.files.SqlitePaths;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreException.Reason;
import org.litestream4j.restore.StandbyPosition.Announcement;
import org.sqlite.JDBC;

/**
 * A database that is changed in place while other processes read it. For SQLite, each change is one transaction: the
 * old pages are written to a rollback journal first, then the new pages are written while no reader is active. While
 * the file is open, it holds the RESERVED lock, so that no other process can write. Not thread-safe.
 */
final class StandbyFile implements Closeable {

    private static final int MAX_RECOVERIES = 10;

    /** Longest time for which new readers are kept out while active readers finish. */
    private static final Duration READERS_TIMEOUT = Duration.ofSeconds(1);

    private final Path path;
    private final FileChannel channel;
    private final WriterLocks locks;
    private final StandbyPosition position;
    private final BooleanSupplier cancelled;
    private final Object identity;
    private Txid txid;
    private int pageSize;

    private StandbyFile(
            Path path,
            Object identity,
            FileChannel channel,
            WriterLocks locks,
            BooleanSupplier cancelled,
            Txid txid,
            int pageSize) {
        this.path = path;
        this.identity = identity;
        this.channel = channel;
        this.locks = locks;
        this.position = new StandbyPosition(path);
        this.cancelled = cancelled;
        this.txid = txid;
        this.pageSize = pageSize;
    }

    /**
     * Opens a standby left by an earlier run and rolls back a change that was interrupted by a crash.
     *
     * @param path absolute path; the file must not be open elsewhere in this process
     * @param busyTimeout longest wait for other processes
     * @param replica address of the replica, for messages
     * @return empty if the file is not a standby, or if another program has written to it
     * @throws RestoreException if another process follows the replica into the same file or writes to it
     */
    static Optional<StandbyFile> open(Path path, Duration busyTimeout, BooleanSupplier cancelled, String replica)
            throws IOException {
        requireUnix();
        requireNotOpenHere(path);
        for (int attempt = 1; ; attempt++) {
            if (RollbackJournal.isHot(path)) {
                rollBack(path, busyTimeout);
            }
            Object identity = identity(path);
            FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
            boolean opened = false;
            try {
                WriterLocks locks = new WriterLocks(channel);
                if (!locks.reserve(busyTimeout, cancelled)) {
                    throw new RestoreException(
                            Reason.TARGET_EXISTS,
                            replica,
                            "another process writes to " + path + " or follows into it",
                            "let only one process follow into a file",
                            null);
                }
                if (!RollbackJournal.isHot(path)) {
                    Optional<StandbyFile> file = identify(path, identity, channel, locks, cancelled);
                    opened = file.isPresent();
                    return file;
                }
            } finally {
                if (!opened) {
                    channel.close();
                }
            }
            if (attempt == MAX_RECOVERIES) { // other writers have crashed repeatedly in the meantime
                throw new IOException(RollbackJournal.of(path) + " cannot be rolled back");
            }
        }
    }

    private static Optional<StandbyFile> identify(
            Path path, Object identity, FileChannel channel, WriterLocks locks, BooleanSupplier cancelled)
            throws IOException {
        ByteBuffer header = ByteBuffer.allocate(StandbyHeader.SIZE);
        while (header.hasRemaining()) {
            if (channel.read(header, header.position()) < 0) {
                return Optional.empty();
            }
        }
        StandbyPosition position = new StandbyPosition(path);
        Txid found = position.recorded()
                .filter(txid -> StandbyHeader.isAt(header.array(), txid))
                .orElse(null);
        Announcement announced = position.announced().orElse(null);
        if (announced != null && isDone(announced, header.array())) {
            found = announced.txid();
            position.record();
        }
        if (found == null) {
            return Optional.empty();
        }
        position.withdraw();
        Files.deleteIfExists(RollbackJournal.of(path)); // incomplete, and therefore ignored by SQLite
        int pageSize = StandbyHeader.pageSize(header.array());
        return Optional.of(new StandbyFile(path, identity, channel, locks, cancelled, found, pageSize));
    }

    private static boolean isDone(Announcement announced, byte[] header) {
        Integer counter = announced.counter();
        return counter == null
                ? StandbyHeader.isAt(header, announced.txid())
                : StandbyHeader.hasCounter(header, counter);
    }

    /**
     * Returns the header of the database file that a new standby replaces; its counters are continued.
     *
     * @param path path of the file, which must not be open elsewhere in this process
     * @return empty if there is no database
     */
    static Optional<byte[]> header(Path path) throws IOException {
        if (!Files.exists(path)) {
            return Optional.empty();
        }
        requireNotOpenHere(path);
        try (InputStream in = Files.newInputStream(path)) {
            byte[] header = in.readNBytes(StandbyHeader.SIZE);
            return header.length == StandbyHeader.SIZE && StandbyHeader.isDatabase(header)
                    ? Optional.of(header)
                    : Optional.empty();
        }
    }

    /** Returns device and inode of a file. */
    private static Object identity(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    }

    /** Returns whether the open file still has its name. A journal beside a different file would destroy that file. */
    boolean isInPlace() throws IOException {
        try {
            return identity.equals(identity(path));
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private static void requireUnix() throws IOException {
        if (System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows")) {
            throw new IOException("following works with the file locks of Unix; it is not available on Windows");
        }
    }

    /**
     * Checks that this process does not have the file open. Locks belong to the process: closing any descriptor of the
     * file would release the locks held by this class or by SQLite.
     */
    private static void requireNotOpenHere(Path path) throws IOException {
        Path descriptors = Path.of("/proc/self/fd");
        if (!Files.isDirectory(descriptors)) {
            return;
        }
        Path real = path.toRealPath();
        try (DirectoryStream<Path> links = Files.newDirectoryStream(descriptors)) {
            for (Path link : links) {
                boolean same;
                try {
                    same = Files.readSymbolicLink(link).equals(real);
                } catch (IOException e) {
                    same = false; // closed in the meantime
                }
                if (same) {
                    throw new IllegalStateException(
                            "this process has " + path + " open: follow a standby in a process of its own");
                }
            }
        }
    }

    /** Lets SQLite roll back; it does so when it reads the database. */
    private static void rollBack(Path path, Duration busyTimeout) throws IOException {
        try (Connection connection = JDBC.createConnection(SqlitePaths.jdbcUrl(path, "mode=rw"), new Properties());
                Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA busy_timeout=" + busyTimeout.toMillis());
            statement.execute("SELECT count(*) FROM sqlite_schema");
        } catch (SQLException e) {
            throw new IOException(path + " could not be rolled back to its last state: " + e.getMessage(), e);
        }
    }

    Txid txid() {
        return txid;
    }

    int pageSize() {
        return pageSize;
    }

    /**
     * Changes the file to a later state in one transaction.
     *
     * @param to TXID of the later state
     * @return number of pages changed; -1 if readers kept the file busy and nothing was changed
     * @throws IOException if the change failed; the file must then be closed, and opening it again rolls back the
     *     incomplete change
     */
    long apply(StandbyUpdate update, Txid to) throws IOException {
        long oldPages = channel.size() / pageSize;
        byte[] first = new byte[pageSize];
        StandbyUpdate.readPage(channel, 1, first);
        byte[] newFirst = firstPage(update, first, to);
        try (RollbackJournal journal = RollbackJournal.create(path, pageSize, oldPages)) {
            journal.add(1, first);
            BitSet changed = keepOldPages(update, oldPages, journal);
            position.announce(to, StandbyHeader.changeCounter(newFirst));
            journal.seal();
            if (!locks.excludeReaders(READERS_TIMEOUT, cancelled)) {
                journal.delete();
                position.withdraw();
                return -1;
            }
            writeNewPages(update, changed, newFirst);
            channel.force(true);
            journal.delete(); // this is the commit
            locks.admitReaders();
            position.record();
            pageSize = update.pageSize();
            txid = to;
            return changed.cardinality();
        }
    }

    /** Returns the numbers of the pages that change; page 1 is always one of them. */
    private BitSet keepOldPages(StandbyUpdate update, long oldPages, RollbackJournal journal) throws IOException {
        BitSet changed = new BitSet();
        changed.set(1);
        byte[] old = new byte[pageSize];
        boolean samePageSize = update.pageSize() == pageSize;
        update.forEach(pgno -> pgno > 1, (pgno, page) -> {
            boolean kept = samePageSize && pgno <= oldPages;
            if (kept) {
                StandbyUpdate.readPage(channel, pgno, old);
            }
            if (!kept || !Arrays.equals(old, page)) {
                changed.set(Math.toIntExact(pgno));
            }
            if (kept && changed.get((int) pgno)) {
                journal.add(pgno, old);
            }
        });
        long lockPage = LockPage.pgno(pageSize);
        for (long pgno = samePageSize ? update.commit() + 1 : 2;
                pgno <= oldPages;
                pgno++) { // cut off, or all pages are overwritten
            if (pgno != lockPage) {
                StandbyUpdate.readPage(channel, pgno, old);
                journal.add(pgno, old);
            }
        }
        return changed;
    }

    /**
     * Returns the new page 1. An update that contains page 1 may change the schema, even if the primary's cookie has
     * the same value as before.
     */
    private static byte[] firstPage(StandbyUpdate update, byte[] oldFirst, Txid to) throws IOException {
        byte[] first = Arrays.copyOf(oldFirst, update.pageSize());
        boolean[] given = new boolean[1];
        update.forEach(pgno -> pgno == 1, (pgno, page) -> {
            System.arraycopy(page, 0, first, 0, first.length);
            given[0] = true;
        });
        StandbyHeader.write(first, oldFirst, given[0], to, update.commit());
        return first;
    }

    private void writeNewPages(StandbyUpdate update, BitSet changed, byte[] first) throws IOException {
        int size = update.pageSize();
        update.forEach(pgno -> pgno > 1 && changed.get((int) pgno), (pgno, page) -> write(page, (pgno - 1) * size));
        write(first, 0);
        long end = update.commit() * size;
        channel.truncate(end);
        if (channel.size() < end) { // the last page is the lock page
            write(new byte[1], end - 1);
        }
    }

    private void write(byte[] bytes, long at) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            channel.write(buffer, at + buffer.position());
        }
    }

    @Override
    public void close() throws IOException {
        channel.close(); // releases all locks, too
    }
}
