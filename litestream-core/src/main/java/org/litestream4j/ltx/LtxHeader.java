package org.litestream4j.ltx;

import static java.util.Objects.requireNonNull;
import static org.litestream4j.ltx.InvalidFieldException.check;

import java.util.HexFormat;

/**
 * Header of an LTX file: the database states from which and to which the file leads.
 *
 * @param flags {@link #NO_CHECKSUM} or 0
 * @param pageSize page size in bytes, a power of two from 512 to 65536
 * @param commit size of the database after applying the file, in pages; unsigned 32-bit
 * @param minTxid first transaction; 1 makes the file a snapshot
 * @param maxTxid last transaction, inclusive
 * @param timestampMillis time of the last transaction, in milliseconds since the epoch
 * @param preApplyChecksum checksum of the database before applying the file; 0 for a snapshot or with
 *     {@link #NO_CHECKSUM}, otherwise with its top bit set
 * @param wal range of WAL bytes that contained the pages; {@link WalRange#NONE} for merged files
 * @param nodeId 0 in all files written by this program
 */
public record LtxHeader(
        int flags,
        int pageSize,
        long commit,
        Txid minTxid,
        Txid maxTxid,
        long timestampMillis,
        long preApplyChecksum,
        WalRange wal,
        long nodeId) {

    /** Flag of files without database checksums. */
    public static final int NO_CHECKSUM = 1 << 1;

    /** Size of a header in bytes. */
    public static final int SIZE = LtxHeaderCodec.SIZE;

    private static final long MAX_COMMIT = 0xFFFF_FFFFL;

    /** @throws IllegalArgumentException if a field is invalid; names the field and its value */
    public LtxHeader {
        requireNonNull(minTxid, "minTxid");
        requireNonNull(maxTxid, "maxTxid");
        requireNonNull(wal, "wal");
        check((flags & ~NO_CHECKSUM) == 0, "flags", "0 or 2 (no checksum)", Integer.toHexString(flags));
        check(
                pageSize >= 512 && pageSize <= 65536 && Integer.bitCount(pageSize) == 1,
                "page size",
                "a power of two from 512 to 65536",
                Integer.toUnsignedLong(pageSize));
        check(commit >= 0 && commit <= MAX_COMMIT, "commit", "an unsigned 32-bit number", commit);
        check(!minTxid.isNone(), "min TXID", "1 or more", minTxid);
        check(!minTxid.isAfter(maxTxid), "max TXID", "min TXID " + minTxid + " or more", maxTxid);
        boolean unchecked = minTxid.value() == 1 || flags == NO_CHECKSUM;
        check(
                unchecked ? preApplyChecksum == 0 : preApplyChecksum < 0,
                "pre-apply checksum",
                unchecked ? "0 in a snapshot or a file without checksums" : "a checksum with its top bit set",
                HexFormat.of().toHexDigits(preApplyChecksum));
    }

    /** Returns a header as written by Litestream, without database checksums. */
    public static LtxHeader of(
            int pageSize, long commit, Txid minTxid, Txid maxTxid, long timestampMillis, WalRange wal) {
        return new LtxHeader(NO_CHECKSUM, pageSize, commit, minTxid, maxTxid, timestampMillis, 0, wal, 0);
    }

    /**
     * Reads the header at the start of a file.
     *
     * @param bytes the first bytes of the file; bytes after {@link #SIZE} are ignored
     * @param source path or object key of the file, for the message
     * @throws LtxFormatException if there are fewer bytes, or if they are not a valid header
     */
    public static LtxHeader parse(byte[] bytes, String source) throws LtxFormatException {
        return LtxHeaderCodec.decode(bytes, source);
    }

    /** Returns whether the file contains every page of the database. */
    public boolean isSnapshot() {
        return minTxid.value() == 1;
    }

    public boolean hasDatabaseChecksums() {
        return (flags & NO_CHECKSUM) == 0;
    }

    /** Returns the name of a file with this header. */
    public LtxFileName fileName() {
        return new LtxFileName(minTxid, maxTxid);
    }

    /** Returns the next page in a complete image, which contains all pages except the lock page; may be beyond the commit. */
    long pageAfter(long pgno) {
        return pgno + 1 == LockPage.pgno(pageSize) ? pgno + 2 : pgno + 1;
    }
}
