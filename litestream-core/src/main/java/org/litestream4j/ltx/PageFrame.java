package org.litestream4j.ltx;

/** Layout of a page frame: page number, flags, size (only for blocks), compressed page. */
final class PageFrame {

    static final int HEADER_SIZE = 6;
    static final int BLOCK_HEADER_SIZE = HEADER_SIZE + Integer.BYTES;
    /** Flag: a size field follows, and the data is an LZ4 block; otherwise, the data is an LZ4 frame. */
    static final int BLOCK_FLAG = 1;

    private PageFrame() {}

    /** Returns the maximum size of the frame of one page. */
    static int bound(int pageSize) {
        return Math.max(BLOCK_HEADER_SIZE + Lz4Block.bound(pageSize), HEADER_SIZE + Lz4Frame.bound(pageSize));
    }

    /** Checks that a file with this header may contain a page. */
    static void checkPgno(long pgno, LtxHeader header, String source, long fileOffset) throws LtxFormatException {
        if (pgno <= 0 || pgno > header.commit()) {
            throw new LtxFormatException(
                    source, fileOffset, "pgno", pgno + ", the database has pages 1 to " + header.commit());
        }
        if (pgno == LockPage.pgno(header.pageSize())) {
            throw new LtxFormatException(source, fileOffset, "lock page", pgno + " is never in an LTX file");
        }
    }
}
