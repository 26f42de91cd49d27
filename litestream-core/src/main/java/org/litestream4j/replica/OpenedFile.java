package org.litestream4j.replica;

import static java.util.Objects.requireNonNull;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A file, or a range of it, opened for reading.
 *
 * @param content content; closed by the caller
 * @param databaseChecksum checksum of the database after the file's last transaction, if the store keeps it with
 *     the file
 * @param version identifies the file's version, for example by an ETag; changes if the file is replaced. Null if
 *     the store has no versions
 */
public record OpenedFile(InputStream content, OptionalLong databaseChecksum, @Nullable String version)
        implements Closeable {

    public OpenedFile {
        requireNonNull(content, "content");
        requireNonNull(databaseChecksum, "databaseChecksum");
    }

    /** Creates an opened file of a store without versions. */
    public OpenedFile(InputStream content, OptionalLong databaseChecksum) {
        this(content, databaseChecksum, null);
    }

    /** Closes the content. */
    @Override
    public void close() throws IOException {
        content.close();
    }
}
