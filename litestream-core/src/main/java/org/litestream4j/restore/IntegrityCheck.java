package org.litestream4j.restore;

/**
 * Integrity check that SQLite runs on the restored file before the file gets its final name. LTX checksums are always
 * verified.
 */
public enum IntegrityCheck {
    NONE,
    /** {@code PRAGMA quick_check}: everything except the consistency of indexes with their tables. */
    QUICK,
    /** {@code PRAGMA integrity_check}. */
    FULL
}
