package org.litestream4j.replica;

import java.io.IOException;
import java.io.OutputStream;

/**
 * A file on its way to a replica: write its bytes, then {@link #publish}. Closing without publishing discards it and
 * leaves nothing behind. Memory is bounded, whatever the file's size.
 */
public abstract class ReplicaUpload extends OutputStream {

    /**
     * Makes the file visible, whole and durable, under its final name; call once, after the last byte.
     *
     * @return what a listing would now show
     * @throws ReplicaConflictException if a file of that name exists already and its content differs; the existing file
     *     is untouched. Where it is the same, byte for byte (an earlier attempt that had succeeded), this is success.
     */
    public abstract LtxFileInfo publish() throws IOException;

    /** Discards the file unless it was published; idempotent. */
    @Override
    public abstract void close() throws IOException;
}
