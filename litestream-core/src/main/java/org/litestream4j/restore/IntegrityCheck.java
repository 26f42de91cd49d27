package org.litestream4j.restore;

/** What SQLite checks in the restored file before it gets its final name. Checksums are verified in any case. */
public enum IntegrityCheck {
    NONE,
    /** {@code PRAGMA quick_check}: all but indexes against their tables. */
    QUICK,
    /** {@code PRAGMA integrity_check}. */
    FULL
}
