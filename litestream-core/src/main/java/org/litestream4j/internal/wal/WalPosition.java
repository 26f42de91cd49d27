package org.litestream4j.internal.wal;

/**
 * A place between two frames of a WAL: what was read ends here, the next frame begins here.
 *
 * @param salt1 of the WAL's header
 * @param salt2 of the WAL's header
 * @param offset in the file, in bytes; at least {@link WalHeader#SIZE}
 * @param checksum1 of everything before, first half
 * @param checksum2 second half
 */
public record WalPosition(int salt1, int salt2, long offset, int checksum1, int checksum2) {

    /** Before the first frame of whatever WAL comes next. */
    public static final WalPosition NONE = new WalPosition(0, 0, WalHeader.SIZE, 0, 0);

    /** @throws IllegalArgumentException if the offset lies inside the header */
    public WalPosition {
        if (offset < WalHeader.SIZE) {
            throw new IllegalArgumentException("WAL position inside the header: " + offset);
        }
    }

    /** Before the first frame of the WAL that this header begins. */
    public static WalPosition start(WalHeader header) {
        return new WalPosition(header.salt1(), header.salt2(), WalHeader.SIZE, header.checksum1(), header.checksum2());
    }

    /**
     * Number of frames before this position.
     *
     * @param pageSize in bytes
     */
    public long frames(int pageSize) {
        return (offset - WalHeader.SIZE) / (WalFile.FRAME_HEADER_SIZE + pageSize);
    }
}
