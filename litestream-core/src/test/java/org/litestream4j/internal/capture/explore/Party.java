package org.litestream4j.internal.capture.explore;

import java.io.IOException;

/** One process that uses the database; obeys the commands of {@link Connections}. */
interface Party {

    /** Returns the answer; {@link Connections#BUSY} if a lock of somebody else was in the way. */
    String obey(String command) throws IOException;
}
