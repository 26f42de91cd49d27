package org.litestream4j.replica;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Stream of a replica's file, or of a range of it. If the connection breaks, reading continues at the same byte of the
 * same version of the file; a {@link ReplicaFileChangedException} reports another version. Not thread-safe.
 */
public final class ResumingInputStream extends InputStream {

    /** Maximum number of consecutive failures without a byte read in between; about six seconds of retries. */
    private static final int MAX_FAILURES = 7;

    private static final long FIRST_PAUSE_MILLIS = 100;

    private final ReplicaClient client;
    private final LtxFileInfo file;
    private final String label;
    private final Reader reader;
    private final FileVersion version;
    private long position;
    private long remaining;
    private @Nullable InputStream in;
    private OptionalLong databaseChecksum = OptionalLong.empty();
    private int failures;

    /** The user of the stream, who may cancel reading. */
    public interface Reader {

        /** Called before each attempt; an exception ends the reading. */
        void check() throws IOException;

        /** Waits before the next attempt; may return early. */
        void pause(long millis);

        /** Called after bytes were read. */
        default void read(int count) {}
    }

    /**
     * Creates a stream without opening the file.
     *
     * @param label name of the file, for messages
     * @param offset offset of the first byte
     * @param length number of bytes; the file must contain that many bytes from the offset on
     */
    public ResumingInputStream(
            ReplicaClient client, LtxFileInfo file, String label, long offset, long length, Reader reader) {
        this(client, file, label, offset, length, reader, new FileVersion());
    }

    /** @param version shared by all streams that read parts of one file */
    public ResumingInputStream(
            ReplicaClient client,
            LtxFileInfo file,
            String label,
            long offset,
            long length,
            Reader reader,
            FileVersion version) {
        this.version = version;
        this.client = client;
        this.file = file;
        this.label = label;
        this.reader = reader;
        this.position = offset;
        this.remaining = length;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (remaining == 0) {
            return -1;
        }
        int wanted = (int) Math.min(length, remaining);
        int count = attempt(() -> readOnce(bytes, offset, wanted));
        failures = 0;
        position += count;
        remaining -= count;
        reader.read(count);
        return count;
    }

    /** Opens the file, so that {@link #databaseChecksum} is known before the first byte is read. */
    public void connect() throws IOException {
        attempt(this::connected);
    }

    /**
     * Returns the checksum of the database after the file's last transaction, if the replica contains it; available
     * after the file was opened.
     */
    public OptionalLong databaseChecksum() {
        return databaseChecksum;
    }

    @FunctionalInterface
    private interface Step<T> {
        T run() throws IOException;
    }

    private <T> T attempt(Step<T> step) throws IOException {
        while (true) {
            reader.check();
            try {
                return step.run();
            } catch (ReplicaFileNotFoundException | ReplicaAccessException | ReplicaFileChangedException e) {
                throw e; // a retry would not help
            } catch (IOException e) {
                closeAfter(e);
                if (++failures == MAX_FAILURES) {
                    throw e;
                }
                reader.pause(FIRST_PAUSE_MILLIS << (failures - 1));
            }
        }
    }

    private int readOnce(byte[] bytes, int offset, int length) throws IOException {
        int count = connected().read(bytes, offset, length);
        if (count < 0) {
            throw new EOFException(label + " ends at byte " + position + ", listed with " + file.size());
        }
        return count;
    }

    private InputStream connected() throws IOException {
        InputStream current = in;
        if (current == null) {
            OpenedFile opened = client.openFile(file.level(), file.name(), position, remaining);
            current = opened.content();
            in = current;
            version.require(opened.version(), label);
            databaseChecksum = opened.databaseChecksum();
        }
        return current;
    }

    private void closeAfter(IOException failure) {
        try {
            close();
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    @Override
    public void close() throws IOException {
        InputStream current = in;
        in = null;
        if (current != null) {
            current.close();
        }
    }
}
