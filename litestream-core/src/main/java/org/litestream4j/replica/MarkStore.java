package org.litestream4j.replica;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * The marks of one replica, stored as small objects beside its files, at a place that no listing of files includes.
 * Thread-safe. The names are those that {@link Mark#isName} accepts; the content is that of {@link Mark#encode}.
 *
 * <p>In addition to the errors documented for each method, errors as {@link ReplicaClient}'s.
 */
public interface MarkStore {

    /**
     * A stored mark.
     *
     * @param version changes with the content
     */
    record Stored(String name, String version) {}

    /**
     * Lists the marks, ordered by name. Objects with other names are ignored. A mark that was completely created before
     * the call is included, unless it was removed.
     */
    List<Stored> list() throws IOException;

    /** Returns the content of a mark, at most {@link Mark#MAX_BYTES} + 1 bytes; empty if there is no such mark. */
    Optional<byte[]> read(String name) throws IOException;

    /**
     * Creates a mark. Of several callers with the same name, one creates it; the others change nothing.
     *
     * @return whether this call has created it; false if a mark of this name exists
     */
    boolean create(String name, byte[] content) throws IOException;

    /**
     * Removes a mark.
     *
     * @return whether there was such a mark
     */
    boolean remove(String name) throws IOException;
}
