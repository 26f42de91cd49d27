package org.litestream4j.internal.replication;

import java.util.function.LongConsumer;
import org.litestream4j.ltx.LtxFileName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs the progress of the upload of a large file: ten times, and at least once every 256 MiB. */
final class UploadProgress implements LongConsumer {

    /** Size in bytes from which a file is large. */
    static final long LARGE = 16L << 20;

    private static final Logger LOG = LoggerFactory.getLogger(UploadProgress.class);

    private static final int LINES = 10;

    private static final long MAX_STEP = 256L << 20;

    private final String replica;
    private final LtxFileName name;
    private final long size;
    private final long step;
    private long done;
    private long next;

    /** @param size of the file, in bytes */
    UploadProgress(String replica, LtxFileName name, long size) {
        this.replica = replica;
        this.name = name;
        this.size = size;
        this.step = size < LARGE ? Long.MAX_VALUE : Math.min(MAX_STEP, size / LINES);
        this.next = step;
    }

    /** @param count number of bytes that were written since the last call */
    @Override
    public void accept(long count) {
        done += count;
        if (done >= next) {
            next = done - done % step + step;
            LOG.info("uploading: replica={} txid={} bytes={} of={}", replica, name.max(), done, size);
        }
    }
}
