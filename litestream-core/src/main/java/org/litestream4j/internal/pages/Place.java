package org.litestream4j.internal.pages;

/** Where a page is: an entry of a file's page index. */
record Place(ReplicaFile file, int entry) {

    long key() {
        return file.key(entry);
    }
}
