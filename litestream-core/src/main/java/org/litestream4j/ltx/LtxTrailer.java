package org.litestream4j.ltx;

/**
 * The last 16 bytes of an LTX file.
 *
 * @param postApplyChecksum checksum of the database after applying the file; 0 for files without database checksums
 * @param fileChecksum checksum of the file, with its top bit set
 */
public record LtxTrailer(long postApplyChecksum, long fileChecksum) {

    /** Size of a trailer in bytes. */
    public static final int SIZE = 16;
}
