package org.litestream4j.internal.vfs;

import static java.util.Objects.requireNonNull;

import org.litestream4j.internal.pages.PageSource;

/**
 * A database that connections open by a name.
 *
 * @param pages what a new connection reads
 * @param moments what a connection may read instead
 */
public record ReplicaDatabase(PageSource pages, MomentSource moments) {

    public ReplicaDatabase {
        requireNonNull(pages, "pages");
        requireNonNull(moments, "moments");
    }
}
