package org.litestream4j.internal.pages;

/** Where a page is: an entry of a file's page index. */
record PageLocation(ReplicaFile file, int entry) {

    /** Returns whether another place has certainly the same content. */
    boolean isSameAs(PageLocation other) {
        return entry == other.entry && file.isSameObject(other.file);
    }

    long key() {
        return file.key(entry);
    }
}
