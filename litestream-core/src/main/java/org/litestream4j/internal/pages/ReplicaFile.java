package org.litestream4j.internal.pages;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxPageIndex;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaFileChangedException;

/**
 * A file of the replica whose page index is known. Each object with other content has another one, so that pages of
 * files that were replaced under their name are never mixed. Immutable.
 *
 * @param id number by which the cache knows the file
 * @param info file as listed
 * @param label name for messages
 * @param version version of the object that the index was read from; null if the store has none
 * @param databaseChecksum checksum of the database after the file, if the store keeps it
 */
record ReplicaFile(
        int id,
        LtxFileInfo info,
        String label,
        @Nullable String version,
        OptionalLong databaseChecksum,
        LtxHeader header,
        LtxPageIndex index) {

    /** Returns the key of a page in the cache. */
    long key(int entry) {
        return (long) id << Integer.SIZE | Integer.toUnsignedLong(entry);
    }

    /** Checks that an opened range belongs to the object that the index was read from. */
    void requireVersion(@Nullable String opened) throws ReplicaFileChangedException {
        if (version != null && opened != null && !version.equals(opened)) {
            throw new ReplicaFileChangedException(label);
        }
    }

    /**
     * Checks that a file that ends too early has a version. If it has none, as where a store answers that the range begins
     * after the end, it was replaced by a shorter one since it was listed.
     */
    static void requireKnown(@Nullable String opened, String label) throws ReplicaFileChangedException {
        if (opened == null) {
            throw new ReplicaFileChangedException(label);
        }
    }

    /** Returns whether another file has certainly the same content: it was read from the same version of the object. */
    boolean isSameObject(ReplicaFile other) {
        return equals(other) || (version != null && version.equals(other.version) && info.equals(other.info));
    }

    long end(int entry) {
        return index.offset(entry) + index.frameSize(entry);
    }

    // Files are compared by identity: two objects may have the same name.

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return id;
    }
}
