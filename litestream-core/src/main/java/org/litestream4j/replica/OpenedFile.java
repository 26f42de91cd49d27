package org.litestream4j.replica;

import static java.util.Objects.requireNonNull;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A file, or a range of it, that is open for reading.
 *
 * @param content the caller's to close
 * @param databaseChecksum of the database after the file's last transaction, as the store keeps it beside the file; empty if it
 *     does not
 * @param version differs once the store holds another file under the name (an ETag, for instance); null if the store has none
 */
public record OpenedFile(InputStream content, OptionalLong databaseChecksum, @Nullable String version)
        implements Closeable {

    public OpenedFile {
        requireNonNull(content, "content");
        requireNonNull(databaseChecksum, "databaseChecksum");
    }

    /** A file of a store without versions. */
    public OpenedFile(InputStream content, OptionalLong databaseChecksum) {
        this(content, databaseChecksum, null);
    }

    /** Closes the content. */
    @Override
    public void close() throws IOException {
        content.close();
    }
}
