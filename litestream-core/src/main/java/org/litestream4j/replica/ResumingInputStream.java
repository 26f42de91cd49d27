package org.litestream4j.replica;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Stream of a replica's file, or of a range of it. If the connection breaks, reading continues at the same byte of the
 * same version of the file; a {@link ReplicaFileChangedException} reports another version. Not thread-safe.
 *
 * <p>This is the only place where reading is retried: {@link ReplicaClient#openFile} sends each request once. After a
 * failed request, a pause follows: 100 ms, doubled each time up to 3.2 s, less up to half of it at random. Reading gives up
 * after {@link #MAX_FAILURES} consecutive failures, and does not begin another request {@link #MAX_SECONDS} seconds after the
 * first of them. Failures are consecutive if fewer than {@link #PROGRESS} bytes were read in between. Thus reading from a
 * store that fails at once takes 8 requests and 4.7 to 9.5 s. For a store that does not respond, it takes two requests, each
 * with the timeout of the client. A file of {@code n} bytes takes at most {@code 8 * (1 + n / PROGRESS)} requests. Failures
 * that a retry cannot cure are thrown immediately: denied access, missing, replaced and damaged files, and a closed client.
 */
public final class ResumingInputStream extends InputStream {

    /** Maximum number of consecutive failures. */
    public static final int MAX_FAILURES = 8;

    /** Time in seconds after the first of consecutive failures, after which no further request begins. */
    public static final int MAX_SECONDS = 10;

    /** Number of bytes read after which earlier failures no longer count. */
    public static final int PROGRESS = 16 << 10;

    private static final long FIRST_PAUSE_MILLIS = 100;

    private static final long MAX_PAUSE_MILLIS = 3_200;

    private final Opener opener;
    private final String label;
    private final long listedSize;
    private final ReadControl reader;
    private final FileVersion version;
    private final LongSupplier nanoTime;
    private long position;

    /** Number of bytes from the position to the end of the range; {@link ReplicaClient#TO_END} if unknown. */
    private long remaining;

    private @Nullable InputStream in;
    private OptionalLong databaseChecksum = OptionalLong.empty();
    private boolean closed;
    private int failures;

    /** Position of the latest failure. */
    private long failedAt;

    /** Time of the first of the consecutive failures. */
    private long failingSince;

    /** The user of the stream, who may cancel reading. */
    public interface ReadControl {

        /** Called before each attempt; an exception ends the reading. */
        void check() throws IOException;

        /** Waits before the next attempt; may return early. */
        void pause(long millis);

        /** Called after bytes were read. */
        default void read(int count) {}
    }

    /** Sends one request for a range of the file. */
    @FunctionalInterface
    public interface Opener {
        /**
         * Opens the file.
         *
         * @param offset offset of the first byte
         * @param length number of bytes, or {@link ReplicaClient#TO_END}
         */
        OpenedFile open(long offset, long length) throws IOException;
    }

    /**
     * Creates a stream without opening the file.
     *
     * @param label name of the file, for messages
     * @param offset offset of the first byte
     * @param length number of bytes; the file must contain that many bytes from the offset on
     */
    public ResumingInputStream(
            ReplicaClient client, LtxFileInfo file, String label, long offset, long length, ReadControl reader) {
        this(client, file, label, offset, length, reader, new FileVersion());
    }

    /** @param version shared by all streams that read parts of one file */
    public ResumingInputStream(
            ReplicaClient client,
            LtxFileInfo file,
            String label,
            long offset,
            long length,
            ReadControl reader,
            FileVersion version) {
        this(
                (from, count) -> client.openFile(file.level(), file.name(), from, count),
                label,
                file.size(),
                offset,
                length,
                reader,
                version,
                System::nanoTime);
    }

    /** @param listedSize size of a file that must contain the whole range; -1 if the range may be truncated */
    ResumingInputStream(
            Opener opener,
            String label,
            long listedSize,
            long offset,
            long length,
            ReadControl reader,
            FileVersion version,
            LongSupplier nanoTime) {
        this.opener = opener;
        this.label = label;
        this.listedSize = listedSize;
        this.reader = reader;
        this.version = version;
        this.nanoTime = nanoTime;
        this.position = offset;
        this.remaining = length;
    }

    /**
     * Opens a file, or a range of it that may extend beyond its end. An interrupt ends a pause between two requests.
     *
     * @param label name of the file, for messages
     * @param length number of bytes, or {@link ReplicaClient#TO_END}
     */
    public static ResumingInputStream open(Opener opener, String label, long offset, long length) throws IOException {
        ResumingInputStream stream = new ResumingInputStream(
                opener, label, -1, offset, length, new StopSignal(), new FileVersion(), System::nanoTime);
        stream.connect();
        return stream;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        if (closed) {
            throw new IOException("the stream of " + label + " is closed");
        }
        if (length == 0) {
            return 0;
        }
        if (remaining == 0) {
            return -1;
        }
        int wanted = remaining < 0 ? length : (int) Math.min(length, remaining);
        int count = attempt(() -> readOnce(bytes, offset, wanted));
        if (count < 0) {
            remaining = 0;
            return -1;
        }
        position += count;
        if (remaining > 0) {
            remaining -= count;
        }
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
            } catch (IOException e) {
                closeAfter(e);
                if (isPermanent(e) || isLast()) {
                    throw e;
                }
                long pause = Math.min(FIRST_PAUSE_MILLIS << (failures - 1), MAX_PAUSE_MILLIS);
                reader.pause(pause / 2 + ThreadLocalRandom.current().nextLong(pause / 2 + 1));
            }
        }
    }

    private static boolean isPermanent(IOException e) {
        return e instanceof ReplicaFileNotFoundException
                || e instanceof ReplicaAccessException
                || e instanceof ReplicaFileChangedException
                || e instanceof ReplicaFileDamagedException
                || e instanceof ReplicaClosedException
                || e instanceof ClosedByInterruptException
                || (e instanceof InterruptedIOException && !(e instanceof SocketTimeoutException));
    }

    /** Counts a failure, and returns whether to give up. */
    private boolean isLast() {
        long now = nanoTime.getAsLong();
        if (failures == 0 || position - failedAt >= PROGRESS) {
            failures = 0;
            failingSince = now;
        }
        failedAt = position;
        failures++;
        return failures >= MAX_FAILURES || now - failingSince >= TimeUnit.SECONDS.toNanos(MAX_SECONDS);
    }

    private int readOnce(byte[] bytes, int offset, int length) throws IOException {
        int count = connected().read(bytes, offset, length);
        if (count < 0 && listedSize >= 0) {
            throw new EOFException(label + " ends at byte " + position + ", listed with " + listedSize);
        }
        return count;
    }

    private InputStream connected() throws IOException {
        InputStream current = in;
        if (current == null) {
            OpenedFile opened = opener.open(position, remaining);
            current = opened.content();
            in = current;
            version.require(opened.version(), label);
            databaseChecksum = opened.databaseChecksum();
        }
        return current;
    }

    private void closeAfter(IOException failure) {
        try {
            disconnect();
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    private void disconnect() throws IOException {
        InputStream current = in;
        in = null;
        if (current != null) {
            current.close();
        }
    }

    @Override
    public void close() throws IOException {
        closed = true;
        disconnect();
    }
}
