package org.litestream4j.internal.wal;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Optional;

/**
 * A {@code -wal} file, read concurrently with SQLite. SQLite takes no locks on it, so that opening and closing it is
 * harmless. Invalid content (a torn tail, frames left from before a reset, a transaction in progress) is treated as
 * absent; content that cannot be read is an {@link IOException}. Not thread-safe.
 */
public final class WalFile implements Closeable {

    /** Size of a frame's header in bytes. */
    public static final int FRAME_HEADER_SIZE = 24;

    private static final int READ_SIZE = 256 << 10;

    private final Path path;
    private final FileChannel channel;

    private WalFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /**
     * Opens a WAL for reading, and for {@link #force}.
     *
     * @throws java.nio.file.NoSuchFileException if there is none
     */
    public static WalFile open(Path path) throws IOException {
        return new WalFile(path, FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE));
    }

    /** Returns the current header; empty if there is no valid one. */
    public Optional<WalHeader> header() throws IOException {
        byte[] bytes = new byte[WalHeader.SIZE];
        return readUpTo(bytes, 0) < bytes.length ? Optional.empty() : WalHeader.decode(bytes);
    }

    /**
     * Finds the committed transactions after a position. If the WAL was reset since, which changes its salts, the scan
     * begins at its start.
     *
     * @param from end of the last scan
     * @param limit number of bytes after which the scan ends with the next commit frame
     */
    public WalScan scan(WalPosition from, long limit) throws IOException {
        return scan(from, limit, Long.MAX_VALUE);
    }

    /**
     * Finds the transactions between a position and the last frame that SQLite counts as committed. A valid commit
     * frame after that one is not committed: its writer was killed, or its fsync failed, before SQLite counted it.
     *
     * @param from end of the last scan; if its salts differ from the WAL's, the scan begins at the start of the WAL
     * @param limit number of bytes after which the scan ends with the next commit frame
     * @param counted number of committed frames in the WAL, as SQLite counts them
     */
    public WalScan scan(WalPosition from, long limit, long counted) throws IOException {
        Optional<WalHeader> header = header();
        if (header.isEmpty()) {
            return new WalScan(null, from, from, 0, new WalPageMap(), false);
        }
        WalPosition start = header.get().sameSalts(from) ? from : WalPosition.start(header.get());
        return new Scanner(header.get(), start).scan(limit, counted);
    }

    /**
     * Returns whether the chain of checksums from the header to a position is intact: no frame before it was torn or
     * overwritten.
     */
    public boolean leadsTo(WalPosition position) throws IOException {
        Optional<WalHeader> header = header();
        if (header.isEmpty() || !header.get().sameSalts(position)) {
            return false;
        }
        Scanner scanner = new Scanner(header.get(), WalPosition.start(header.get()));
        while (scanner.offset < position.offset()) {
            if (!scanner.next()) {
                return false;
            }
        }
        return scanner.position().equals(position);
    }

    /**
     * Returns whether the last frame before a position is still the frame that was read there, with the same salts and
     * checksums. Takes one small read; {@link #leadsTo} checks all frames.
     *
     * @param frameSize size of header and page in bytes
     */
    public boolean endsAt(WalPosition position, int frameSize) throws IOException {
        if (position.offset() == WalHeader.SIZE) {
            return true;
        }
        ByteBuffer frame = ByteBuffer.allocate(FRAME_HEADER_SIZE);
        return readUpTo(frame, position.offset() - frameSize) == FRAME_HEADER_SIZE
                && frame.getInt(8) == position.salt1()
                && frame.getInt(12) == position.salt2()
                && frame.getInt(16) == position.checksum1()
                && frame.getInt(20) == position.checksum2();
    }

    /**
     * Reads the page of a frame.
     *
     * @param frame index of the frame, counted from 0
     * @param page buffer, which is filled completely
     */
    public void readPage(int frame, byte[] page) throws IOException {
        long offset = WalHeader.SIZE + (long) frame * (FRAME_HEADER_SIZE + page.length) + FRAME_HEADER_SIZE;
        if (readUpTo(page, offset) < page.length) {
            throw new EOFException(path + ": frame " + frame + " ends early");
        }
    }

    /** Returns the size of the file in bytes; frames from before a reset may be at its end. */
    public long size() throws IOException {
        return channel.size();
    }

    /** Forces the file to the disk, including writes of other processes. */
    public void force() throws IOException {
        channel.force(false);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private int readUpTo(byte[] bytes, long offset) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        return readUpTo(buffer, offset);
    }

    private int readUpTo(ByteBuffer buffer, long offset) throws IOException {
        while (buffer.hasRemaining()) {
            int count = channel.read(buffer, offset + buffer.position());
            if (count < 0) {
                break;
            }
        }
        return buffer.position();
    }

    private static boolean saltsMatch(byte[] bytes, int at, WalHeader header) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        return in.getInt(at) != 0 && in.getInt(at + 8) == header.salt1() && in.getInt(at + 12) == header.salt2();
    }

    /** Reads valid frames in order. */
    private final class Scanner {
        private final WalHeader header;
        private final WalPosition start;
        private final int frameSize;
        private final byte[] buffer;
        private final ByteBuffer view;
        private final WalChecksum checksum;
        private int filled;
        private int at; // position of the next frame in the buffer
        private long offset; // position of the next frame in the file

        /** Pages of the transaction that is being read, in order; they become valid with its commit frame. */
        private int[] pending = new int[64];

        private int pendingCount;

        Scanner(WalHeader header, WalPosition start) {
            this.header = header;
            this.start = start;
            this.frameSize = header.frameSize();
            this.buffer = new byte[Math.max(1, READ_SIZE / frameSize) * frameSize];
            this.view = ByteBuffer.wrap(buffer);
            this.checksum = new WalChecksum(header.bigEndian(), start.checksum1(), start.checksum2());
            this.offset = start.offset();
        }

        WalScan scan(long limit, long counted) throws IOException {
            long last = counted > (Long.MAX_VALUE - WalHeader.SIZE) / frameSize
                    ? Long.MAX_VALUE
                    : WalHeader.SIZE + counted * frameSize;
            WalPageMap pages = new WalPageMap();
            WalPosition end = start;
            long commit = 0;
            boolean more = false;
            while (!more && offset < last && next()) {
                int frameAt = at - frameSize;
                addPending(view.getInt(frameAt));
                long size = Integer.toUnsignedLong(view.getInt(frameAt + 4));
                if (size != 0) {
                    commit = size;
                    end = position();
                    commitPending(pages);
                    more = end.offset() - start.offset() >= limit;
                }
            }
            return new WalScan(header, start, end, commit, pages, more);
        }

        /** Advances past the next frame if it is valid. */
        boolean next() throws IOException {
            if (at + frameSize > filled) {
                view.clear();
                filled = readUpTo(view, offset);
                at = 0;
                if (filled < frameSize) {
                    return false;
                }
            }
            if (!saltsMatch(buffer, at, header)) {
                return false;
            }
            checksum.update(buffer, at, 8);
            checksum.update(buffer, at + FRAME_HEADER_SIZE, header.pageSize());
            if (!checksum.matches(view.getInt(at + 16), view.getInt(at + 20))) {
                return false;
            }
            at += frameSize;
            offset += frameSize;
            return true;
        }

        WalPosition position() {
            return new WalPosition(header.salt1(), header.salt2(), offset, checksum.first(), checksum.second());
        }

        private void addPending(int pgno) {
            if (pendingCount == pending.length) {
                pending = Arrays.copyOf(pending, 2 * pendingCount);
            }
            pending[pendingCount++] = pgno;
        }

        private void commitPending(WalPageMap pages) {
            int first = Math.toIntExact((offset - WalHeader.SIZE) / frameSize) - pendingCount;
            for (int i = 0; i < pendingCount; i++) {
                pages.put(pending[i], first + i);
            }
            pendingCount = 0;
        }
    }
}
