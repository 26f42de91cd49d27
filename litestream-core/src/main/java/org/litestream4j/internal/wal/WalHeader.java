package org.litestream4j.internal.wal;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The 32-byte header of a WAL file.
 *
 * @param bigEndian byte order of the words in the checksums, as determined by the header's magic
 * @param pageSize page size in bytes, a power of two from 512 to 65536
 * @param checkpointSequence number that grows with each reset
 * @param salt1 salt that grows with each reset
 * @param salt2 salt that is random with each reset
 * @param checksum1 first half of the header's checksum, from which the frames' checksums continue
 * @param checksum2 second half of the header's checksum
 */
public record WalHeader(
        boolean bigEndian, int pageSize, int checkpointSequence, int salt1, int salt2, int checksum1, int checksum2) {

    /** Size of the header in bytes. */
    public static final int SIZE = 32;

    private static final int MAGIC = 0x377f0682;
    private static final int VERSION = 3_007_000;

    /** Decodes a header; empty if the bytes are invalid, in which case SQLite treats the WAL as empty. */
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

    /** Returns the size of a frame in bytes: its header and one page. */
    public int frameSize() {
        return WalFile.FRAME_HEADER_SIZE + pageSize;
    }

    /** Returns whether a position belongs to the WAL that starts with this header. */
    public boolean sameSalts(WalPosition position) {
        return salt1 == position.salt1() && salt2 == position.salt2();
    }
}
