package org.litestream4j.internal.wal;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The 32-byte header of a WAL file.
 *
 * @param bigEndian byte order of the words that the checksums sum up (the header's magic names it)
 * @param pageSize in bytes, a power of two from 512 to 65536
 * @param checkpointSequence grows with each reset
 * @param salt1 grows with each reset
 * @param salt2 random with each reset
 * @param checksum1 first half of the header's checksum, where the chain of the frames begins
 * @param checksum2 second half
 */
public record WalHeader(
        boolean bigEndian, int pageSize, int checkpointSequence, int salt1, int salt2, int checksum1, int checksum2) {

    /** In bytes. */
    public static final int SIZE = 32;

    private static final int MAGIC = 0x377f0682;
    private static final int VERSION = 3_007_000;

    /** Empty unless the bytes are a valid header; SQLite then takes the WAL for empty. */
    static Optional<WalHeader> decode(byte[] bytes) {
        if (bytes.length < SIZE) {
            return Optional.empty();
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        int magic = in.getInt();
        boolean bigEndian = (magic & 1) != 0;
        int version = in.getInt();
        int pageSize = in.getInt();
        WalHeader header =
                new WalHeader(bigEndian, pageSize, in.getInt(), in.getInt(), in.getInt(), in.getInt(), in.getInt());
        WalChecksum checksum = new WalChecksum(bigEndian, 0, 0);
        checksum.update(bytes, 0, 24);
        boolean valid = (magic & ~1) == MAGIC
                && version == VERSION
                && pageSize >= 512
                && pageSize <= 65536
                && Integer.bitCount(pageSize) == 1
                && checksum.matches(header.checksum1(), header.checksum2());
        return valid ? Optional.of(header) : Optional.empty();
    }

    /** Size of a frame: its header and one page. */
    public int frameSize() {
        return WalFile.FRAME_HEADER_SIZE + pageSize;
    }

    /** Whether a position belongs to the content that this header begins. */
    public boolean sameSalts(WalPosition position) {
        return salt1 == position.salt1() && salt2 == position.salt2();
    }
}
