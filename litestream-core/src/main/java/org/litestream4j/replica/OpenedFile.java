package org.litestream4j.replica;

import static java.util.Objects.requireNonNull;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.OptionalLong;

/**
 * A file, or a range of it, that is open for reading.
 *
 * @param content the caller's to close
 * @param databaseChecksum of the database after the file's last transaction, as the store keeps it beside the file; empty if it
 *     does not
 */
public record OpenedFile(InputStream content, OptionalLong databaseChecksum) implements Closeable {

    public OpenedFile {
        requireNonNull(content, "content");
        requireNonNull(databaseChecksum, "databaseChecksum");
    }

    /** Closes the content. */
    @Override
    public void close() throws IOException {
        content.close();
    }
}
