package org.litestream4j.internal.capture.explore;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.wal.WalFile;
import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.internal.wal.WalScan;

/** What is done to the files of the database behind SQLite's back. */
final class Damage implements Closeable {

    private static final int PAGE_SIZE = 512;
    private static final int FRAME_SIZE = PAGE_SIZE + WalFile.FRAME_HEADER_SIZE;
    private static final int WAL_HEADER = 32;

    /** Kind of a page of a table that has rows, not pages, below it. */
    private static final int LEAF = 0x0d;

    /** The table that grows, whose end is unused, and the pages of {@link Connections#TABLES}, where a row's text ends. */
    private static final long[] OVERWRITTEN = {5, 2, 3, 4};

    private static final long GROWING = 5;

    private final Path database;
    private final Path wal;

    /** Open as long as the world is: closing it drops the locks of this process. */
    private @Nullable FileChannel channel;

    Damage(Path database, Path wal) {
        this.database = database;
        this.wal = wal;
    }

    /** Changes a page that everybody reads from the database file. False if there is none. */
    boolean overwritePage() throws IOException {
        for (long pgno : OVERWRITTEN) {
            FileChannel open = open();
            if (!isInWal(pgno) && (pgno != GROWING || isEmpty(open))) {
                long last = pgno * PAGE_SIZE - 1;
                ByteBuffer letter = ByteBuffer.allocate(1);
                open.read(letter, last);
                letter.put(0, (byte) (letter.get(0) ^ 0x0f));
                open.write(letter.rewind(), last);
                return true;
            }
        }
        return false;
    }

    /** Whether the table that grows has no rows: else the end of its page is used. */
    private static boolean isEmpty(FileChannel open) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(5);
        open.read(header, (GROWING - 1) * PAGE_SIZE);
        return header.get(0) == LEAF && header.getShort(3) == 0;
    }

    private boolean isInWal(long pgno) throws IOException {
        try (WalFile file = WalFile.open(wal)) {
            return file.scan(WalPosition.NONE, Long.MAX_VALUE).pages().frame(pgno) >= 0;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private FileChannel open() throws IOException {
        FileChannel open = channel;
        if (open == null) {
            open = FileChannel.open(database, StandardOpenOption.READ, StandardOpenOption.WRITE);
            channel = open;
        }
        return open;
    }

    /**
     * Empties the frame in the middle of the WAL of a database that nobody has open. False if there is none, or what follows is in the
     * database file already: SQLite writes there only what is safe in the WAL.
     */
    boolean tearFrame() throws IOException {
        long frames;
        try (WalFile file = WalFile.open(wal)) {
            WalScan scan = file.scan(WalPosition.NONE, Long.MAX_VALUE);
            frames = scan.frames();
        } catch (NoSuchFileException e) {
            return false;
        }
        int torn = (int) (frames / 2);
        byte[] log = Files.readAllBytes(wal);
        byte[] pages = Files.readAllBytes(database);
        if (frames == 0 || isCopied(log, pages, torn, (int) frames)) {
            return false;
        }
        int at = WAL_HEADER + torn * FRAME_SIZE;
        Arrays.fill(log, at, at + FRAME_SIZE, (byte) 0);
        Files.write(wal, log);
        return true;
    }

    /** Whether the database file has a page as a frame from there on brings it. */
    private static boolean isCopied(byte[] log, byte[] pages, int from, int end) {
        Map<Integer, Integer> before = new HashMap<>();
        for (int frame = 0; frame < end; frame++) {
            int at = WAL_HEADER + frame * FRAME_SIZE;
            int pgno = ByteBuffer.wrap(log).getInt(at);
            if (frame >= from && isSame(log, at + WalFile.FRAME_HEADER_SIZE, pages, (pgno - 1) * PAGE_SIZE)) {
                Integer earlier = before.get(pgno);
                if (earlier == null || !isSame(log, earlier, log, at + WalFile.FRAME_HEADER_SIZE)) {
                    return true;
                }
            }
            if (frame < from) {
                before.put(pgno, at + WalFile.FRAME_HEADER_SIZE);
            }
        }
        return false;
    }

    private static boolean isSame(byte[] first, int at, byte[] second, int place) {
        return place + PAGE_SIZE <= second.length
                && Arrays.equals(first, at, at + PAGE_SIZE, second, place, place + PAGE_SIZE);
    }

    @Override
    public void close() throws IOException {
        FileChannel closing = channel;
        channel = null;
        if (closing != null) {
            closing.close();
        }
    }
}
