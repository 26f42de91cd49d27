package org.litestream4j.internal.capture.explore;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Makes a commit of the frames that a transaction left behind the last frame that SQLite counts: what a writer leaves that is
 * killed after it wrote its frames and before it raised the count in the wal-index, or whose fsync failed.
 */
final class PhantomCommit {

    private static final int HEADER = 32;
    private static final int FRAME_HEADER = 24;

    private final ByteBuffer wal;
    private final int frameSize;
    private final ByteOrder order;
    private int s0;
    private int s1;

    private PhantomCommit(ByteBuffer wal) {
        this.wal = wal;
        this.frameSize = FRAME_HEADER + wal.getInt(8);
        this.order = (wal.getInt(0) & 1) != 0 ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
        this.s0 = wal.getInt(24);
        this.s1 = wal.getInt(28);
    }

    /**
     * Marks the last of the valid frames behind the counted ones as a commit.
     *
     * @param counted frames that SQLite counts
     * @param pages size of the database after the commit
     * @return false if there are none
     */
    static boolean forge(Path path, long counted, int pages) throws IOException {
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer wal = ByteBuffer.allocate(Math.toIntExact(file.size()));
            while (wal.hasRemaining() && file.read(wal, wal.position()) >= 0) {
                // whole
            }
            if (wal.position() <= HEADER) {
                return false;
            }
            int at = new PhantomCommit(wal).mark(counted, pages);
            if (at < 0) {
                return false;
            }
            ByteBuffer header = wal.duplicate().position(at).limit(at + FRAME_HEADER);
            while (header.hasRemaining()) {
                file.write(header, header.position());
            }
            return true;
        }
    }

    /** Where the marked frame begins; negative if there is none. */
    private int mark(long counted, int pages) {
        int marked = -1;
        int before0 = 0;
        int before1 = 0;
        for (int frame = 0; isWhole(frame); frame++) {
            int at = HEADER + frame * frameSize;
            int previous0 = s0;
            int previous1 = s1;
            add(at);
            if (wal.getInt(at + 16) != s0 || wal.getInt(at + 20) != s1) {
                break;
            }
            if (frame >= counted) {
                marked = at;
                before0 = previous0;
                before1 = previous1;
            }
        }
        if (marked >= 0) {
            wal.putInt(marked + 4, pages);
            s0 = before0;
            s1 = before1;
            add(marked);
            wal.putInt(marked + 16, s0);
            wal.putInt(marked + 20, s1);
        }
        return marked;
    }

    private boolean isWhole(int frame) {
        int at = HEADER + frame * frameSize;
        return at + frameSize <= wal.capacity()
                && wal.getInt(at + 8) == wal.getInt(16)
                && wal.getInt(at + 12) == wal.getInt(20);
    }

    private void add(int at) {
        sum(at, 8);
        sum(at + FRAME_HEADER, frameSize - FRAME_HEADER);
    }

    private void sum(int at, int length) {
        ByteBuffer words = wal.duplicate().order(order);
        for (int i = at; i < at + length; i += 8) {
            s0 += words.getInt(i) + s1;
            s1 += words.getInt(i + 4) + s0;
        }
    }
}
