package org.litestream4j.restore;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaFileNotFoundException;

/** Part of a replica's file. When the connection breaks, it goes on at the byte where it broke. For one thread. */
final class ResumingInputStream extends InputStream {

    /** Failures in a row, without a byte between, that end the patience: some six seconds. */
    private static final int MAX_FAILURES = 7;

    private static final long FIRST_PAUSE_MILLIS = 100;

    private final PlanSource source;
    private final StopSignal stop;
    private final RestoreCounters counters;
    private long position;
    private long remaining;
    private @Nullable InputStream in;
    private OptionalLong databaseChecksum = OptionalLong.empty();
    private int failures;

    ResumingInputStream(PlanSource source, long offset, long length, StopSignal stop, RestoreCounters counters) {
        this.source = source;
        this.stop = stop;
        this.counters = counters;
        position = offset;
        remaining = length;
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
        while (true) {
            stop.check();
            try {
                int count = readOnce(bytes, offset, wanted);
                failures = 0;
                position += count;
                remaining -= count;
                counters.bytesRead.addAndGet(count);
                return count;
            } catch (ReplicaFileNotFoundException | ReplicaAccessException e) {
                throw e; // a repetition will not help
            } catch (IOException e) {
                closeAfter(e);
                if (++failures == MAX_FAILURES) {
                    throw e;
                }
                stop.pause(FIRST_PAUSE_MILLIS << (failures - 1));
            }
        }
    }

    /** Of the database after the file's last transaction, as the replica says; known, if at all, once something was read. */
    OptionalLong databaseChecksum() {
        return databaseChecksum;
    }

    private int readOnce(byte[] bytes, int offset, int length) throws IOException {
        InputStream current = in;
        if (current == null) {
            OpenedFile opened = source.client()
                    .openFile(source.info().level(), source.info().name(), position, remaining);
            databaseChecksum = opened.databaseChecksum();
            current = opened.content();
            in = current;
        }
        int count = current.read(bytes, offset, length);
        if (count < 0) {
            throw new EOFException(source.label() + " ends at byte " + position + ", listed with "
                    + source.info().size());
        }
        return count;
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
