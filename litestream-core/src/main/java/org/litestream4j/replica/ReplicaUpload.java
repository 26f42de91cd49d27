package org.litestream4j.replica;

import java.io.IOException;
import java.io.OutputStream;

/**
 * Upload of one file to a replica: write its bytes, then call {@link #publish}. Closing without publishing discards the
 * file without a trace. Memory use is bounded for any file size.
 */
public abstract class ReplicaUpload extends OutputStream {

    /**
     * Makes the complete file visible and durable under its final name. Call once, after the last byte.
     *
     * @return the file as a listing would now show it
     * @throws ReplicaConflictException if a file of that name exists with different content; the existing file is
     *     unchanged. If its content is identical, because an earlier attempt had succeeded, the call succeeds
     */
    public abstract LtxFileInfo publish() throws IOException;

    /** Discards the file unless it was published. Idempotent. */
    @Override
    public abstract void close() throws IOException;
}
