package org.litestream4j.internal.pages;

import java.io.IOException;
import java.time.Duration;

/** One moment of the past. Thread-safe. */
final class Moment implements PageSource {

    private final StateFiles files;
    private final PageReader reader;
    private final Pin.ReadAheads readAheads;
    private final Retries retries;

    Moment(StateFiles files, PageReader reader, Pin.ReadAheads readAheads, Retries retries) {
        this.files = files;
        this.reader = reader;
        this.readAheads = readAheads;
        this.retries = retries;
    }

    @Override
    public PinnedState pin() throws IOException {
        retries.checkOpen();
        return new Pin(files, reader, readAheads.get(), latest());
    }

    @Override
    public StateInfo latest() {
        return files.state().info(Duration.ZERO);
    }
}
