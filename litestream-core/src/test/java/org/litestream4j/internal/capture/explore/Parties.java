package org.litestream4j.internal.capture.explore;

import java.io.Closeable;
import java.io.IOException;

/**
 * The other processes. Where speed counts more, the foreign one is played in this process: SQLite then finds its locks in memory, and
 * decides alike.
 */
final class Parties implements Closeable {

    private final Foreign process;
    private final Party foreign;

    private Parties(Foreign process, Party foreign) {
        this.process = process;
        this.foreign = foreign;
    }

    static Parties processes() throws IOException {
        Foreign process = Foreign.start();
        return new Parties(process, process);
    }

    static Parties inThisProcess() throws IOException {
        return new Parties(Foreign.start(), new Connections());
    }

    Party foreign() {
        return foreign;
    }

    /** A process that may hold locks for others, while the foreign one has nothing open. */
    Party helper() {
        return process;
    }

    /** A process that may hold locks for the foreign one, while this one has nothing open. */
    Party guardianOfForeign() {
        return foreign == process ? new Connections() : process;
    }

    @Override
    public void close() {
        process.close();
    }
}
