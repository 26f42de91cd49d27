package org.litestream4j.internal.capture;

import static java.util.Objects.requireNonNull;

import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.ltx.Txid;

/**
 * How far a database is captured, with the values that prove after a restart that no change was missed.
 *
 * @param txid newest captured transaction
 * @param fileChecksum file checksum of its level-0 file; shows whether the replica's file of that name is the same
 * @param pageSize page size of the database in bytes
 * @param commit database size in pages after that transaction
 * @param wal end of the captured content in the WAL
 * @param file fingerprint of the database file; if {@code frozen}, taken at a time after which SQLite cannot have
 *     changed the file, otherwise only its inode is used
 * @param frozen whether the reader was at mark 0, with all frames before {@code frozenEnd} in the database file
 * @param frozenEnd end of the WAL when the record was frozen; meaningless if not frozen
 * @param continuous whether increments may follow; false from a loss of continuity until the next image
 */
record PositionRecord(
        Txid txid,
        long fileChecksum,
        int pageSize,
        long commit,
        WalPosition wal,
        Fingerprint file,
        boolean frozen,
        WalPosition frozenEnd,
        boolean continuous) {

    PositionRecord {
        requireNonNull(txid, "txid");
        requireNonNull(wal, "wal");
        requireNonNull(file, "file");
        requireNonNull(frozenEnd, "frozenEnd");
    }

    PositionRecord captured(Txid newTxid, long newChecksum, long newCommit, WalPosition end) {
        return new PositionRecord(newTxid, newChecksum, pageSize, newCommit, end, file, frozen, frozenEnd, true);
    }

    PositionRecord frozen(Fingerprint now) {
        return new PositionRecord(txid, fileChecksum, pageSize, commit, wal, now, true, wal, continuous);
    }

    PositionRecord thawed() {
        return new PositionRecord(txid, fileChecksum, pageSize, commit, wal, file, false, WalPosition.NONE, continuous);
    }

    /** Returns the same position, after which no increment may follow. */
    PositionRecord broken() {
        return new PositionRecord(txid, fileChecksum, pageSize, commit, wal, file, false, WalPosition.NONE, false);
    }

    /** Returns the same transaction with a different end in the WAL. */
    PositionRecord movedTo(WalPosition end, Fingerprint present) {
        return new PositionRecord(txid, fileChecksum, pageSize, commit, end, present, false, WalPosition.NONE, true);
    }

    /** Returns whether nothing was captured since the record was frozen. */
    boolean atFrozenEnd() {
        return frozen && wal.equals(frozenEnd);
    }
}
