package org.litestream4j.internal.pages;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Supplier;

/** A reader's hold on a state. Its pages stay readable as long as the replica has them; nothing else is held. */
final class Pin implements PinnedState {

    private final StateFiles files;
    private final PageReader reader;
    private final ReadAhead readAhead;
    private final StateInfo info;
    private volatile boolean released;

    Pin(StateFiles files, PageReader reader, ReadAhead readAhead, StateInfo info) {
        this.files = files;
        this.reader = reader;
        this.readAhead = readAhead;
        this.info = info;
    }

    /** Makes what recognizes scans, one for each pin. */
    interface ReadAheads extends Supplier<ReadAhead> {}

    @Override
    public StateInfo info() {
        return info;
    }

    @Override
    public int read(long offset, ByteBuffer target) throws IOException {
        if (released) {
            throw new IllegalStateException("this state was released");
        }
        return reader.read(files, readAhead, offset, target);
    }

    @Override
    public void release() {
        released = true;
    }
}
