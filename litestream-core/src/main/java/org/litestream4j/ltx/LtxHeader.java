package org.litestream4j.ltx;

import static java.util.Objects.requireNonNull;
import static org.litestream4j.ltx.InvalidFieldException.check;

import java.util.HexFormat;

/**
 * Header of an LTX file: from which database state to which the file leads.
 *
 * @param flags {@link #NO_CHECKSUM} or 0
 * @param pageSize in bytes, a power of two from 512 to 65536
 * @param commit database size after applying the file, in pages; unsigned 32-bit
 * @param minTxid first transaction; 1 makes the file a snapshot
 * @param maxTxid last transaction, inclusive
 * @param timestampMillis of the last transaction, since the epoch
 * @param preApplyChecksum of the database before; 0 for a snapshot or with {@link #NO_CHECKSUM}, else top bit set
 * @param wal the WAL bytes that the pages came from, {@link WalRange#NONE} once compacted
 * @param nodeId 0 in all files we write
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

    /** The file carries no database checksums. */
    public static final int NO_CHECKSUM = 1 << 1;

    /** Bytes of a header. */
    public static final int SIZE = LtxHeaderCodec.SIZE;

    private static final long MAX_COMMIT = 0xFFFF_FFFFL;

    /** @throws IllegalArgumentException naming the field and its value */
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

    /** A header as Litestream writes it: without database checksums. */
    public static LtxHeader of(
            int pageSize, long commit, Txid minTxid, Txid maxTxid, long timestampMillis, WalRange wal) {
        return new LtxHeader(NO_CHECKSUM, pageSize, commit, minTxid, maxTxid, timestampMillis, 0, wal, 0);
    }

    /**
     * Reads the header at the start of a file.
     *
     * @param bytes the first bytes of the file; those after {@link #SIZE} are ignored
     * @param source path or object key, for the message
     * @throws LtxFormatException if there are fewer bytes or they are no header
     */
    public static LtxHeader parse(byte[] bytes, String source) throws LtxFormatException {
        return LtxHeaderCodec.decode(bytes, source);
    }

    /** Whether the file holds every page of the database. */
    public boolean isSnapshot() {
        return minTxid.value() == 1;
    }

    public boolean hasDatabaseChecksums() {
        return (flags & NO_CHECKSUM) == 0;
    }

    /** The name of a file with this header. */
    public LtxFileName fileName() {
        return new LtxFileName(minTxid, maxTxid);
    }

    /** The page that follows in a complete image, where only the lock page is left out; may be beyond the commit. */
    long pageAfter(long pgno) {
        return pgno + 1 == LockPage.pgno(pageSize) ? pgno + 2 : pgno + 1;
    }
}
