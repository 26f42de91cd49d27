package org.litestream4j.internal.capture;

import static java.util.Objects.requireNonNull;

import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.ltx.Txid;

/**
 * How far a database was captured, and what proves after a restart that nothing was missed since.
 *
 * @param txid newest captured transaction
 * @param fileChecksum the file checksum of its level-0 file; tells whether the replica's file of that name is ours
 * @param pageSize of the database, in bytes
 * @param commit database size after that transaction, in pages
 * @param wal where the captured content ends in the WAL
 * @param file the database file; if {@code frozen} at a moment since which SQLite cannot have changed it, else only its inode
 *     counts
 * @param frozen whether our reader was at mark 0 with everything before {@code frozenEnd} in the database file
 * @param frozenEnd what the WAL held when it was frozen; meaningless if not frozen
 * @param continuous whether increments may follow; false once continuity was lost, until an image has restored it
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

    /** The same position, from which no increment may follow. */
    PositionRecord broken() {
        return new PositionRecord(txid, fileChecksum, pageSize, commit, wal, file, false, WalPosition.NONE, false);
    }

    /** The same transaction, whose content the WAL now holds up to another place. */
    PositionRecord movedTo(WalPosition end, Fingerprint present) {
        return new PositionRecord(txid, fileChecksum, pageSize, commit, end, present, false, WalPosition.NONE, true);
    }

    /** Whether nothing was captured since it was frozen. */
    boolean atFrozenEnd() {
        return frozen && wal.equals(frozenEnd);
    }
}
