package org.litestream4j.ltx;

/**
 * The last 16 bytes of an LTX file.
 *
 * @param postApplyChecksum of the database after applying the file; 0 without database checksums
 * @param fileChecksum of the file itself, top bit set
 */
public record LtxTrailer(long postApplyChecksum, long fileChecksum) {

    /** Bytes of a trailer. */
    public static final int SIZE = 16;
}
