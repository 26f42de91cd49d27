package org.litestream4j.internal.vfs;

import static java.util.Objects.requireNonNull;

import org.litestream4j.internal.pages.PageSource;

/** A database that connections open by a name. Equal only to itself. */
public final class ReplicaDatabase {

    private final PageSource pages;
    private final MomentSource moments;

    /**
     * @param pages what a new connection reads
     * @param moments what a connection may read instead
     */
    public ReplicaDatabase(PageSource pages, MomentSource moments) {
        this.pages = requireNonNull(pages, "pages");
        this.moments = requireNonNull(moments, "moments");
    }

    PageSource pages() {
        return pages;
    }

    MomentSource moments() {
        return moments;
    }
}
