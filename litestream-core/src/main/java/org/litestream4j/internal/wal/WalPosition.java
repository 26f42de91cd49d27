package org.litestream4j.internal.wal;

/**
 * A position between two frames of a WAL: the end of the frames read so far, and the start of the next frame.
 *
 * @param salt1 first salt of the WAL's header
 * @param salt2 second salt of the WAL's header
 * @param offset offset in the file in bytes; at least {@link WalHeader#SIZE}
 * @param checksum1 first half of the checksum of everything before the position
 * @param checksum2 second half of that checksum
 */
public record WalPosition(int salt1, int salt2, long offset, int checksum1, int checksum2) {

    /** The position before the first frame of any WAL. */
    public static final WalPosition NONE = new WalPosition(0, 0, WalHeader.SIZE, 0, 0);

    /** @throws IllegalArgumentException if the offset is inside the header */
    public WalPosition {
        if (offset < WalHeader.SIZE) {
            throw new IllegalArgumentException("WAL position inside the header: " + offset);
        }
    }

    /** Returns the position before the first frame of the WAL that starts with this header. */
    public static WalPosition start(WalHeader header) {
        return new WalPosition(header.salt1(), header.salt2(), WalHeader.SIZE, header.checksum1(), header.checksum2());
    }

    /**
     * Returns the number of frames before this position.
     *
     * @param pageSize page size in bytes
     */
    public long frames(int pageSize) {
        return (offset - WalHeader.SIZE) / (WalFile.FRAME_HEADER_SIZE + pageSize);
    }
}
