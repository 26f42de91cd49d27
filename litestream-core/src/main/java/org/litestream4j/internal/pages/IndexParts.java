package org.litestream4j.internal.pages;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** The parts of a file that lead to its pages. Its arrays are never changed. */
final class IndexParts {

    private final @Nullable String version;
    private final OptionalLong databaseChecksum;
    private final byte[] head;
    private final byte[] tail;

    /**
     * @param version version of the object; null if the store has none
     * @param head bytes from the start
     * @param tail bytes to the end, with the page index; empty if the head is the whole file
     */
    IndexParts(@Nullable String version, OptionalLong databaseChecksum, byte[] head, byte[] tail) {
        this.version = version;
        this.databaseChecksum = databaseChecksum;
        this.head = head;
        this.tail = tail;
    }

    @Nullable
    String version() {
        return version;
    }

    OptionalLong databaseChecksum() {
        return databaseChecksum;
    }

    byte[] head() {
        return head;
    }

    byte[] tail() {
        return tail;
    }

    boolean isWhole() {
        return tail.length == 0;
    }
}
