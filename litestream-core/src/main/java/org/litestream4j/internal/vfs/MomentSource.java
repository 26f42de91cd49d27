package org.litestream4j.internal.vfs;

import java.io.IOException;
import java.time.Instant;
import org.litestream4j.internal.pages.PageSource;

/** The moments of a replica. Safe for use by several threads. */
public interface MomentSource {

    /** Returns the newest state, which moves on. */
    PageSource newest() throws IOException;

    /**
     * Returns the newest state that is not newer than a moment.
     *
     * @throws IOException if the replica does not reach back to the moment, or cannot be read
     */
    PageSource at(Instant moment) throws IOException;
}
