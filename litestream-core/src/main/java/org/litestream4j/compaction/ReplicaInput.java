package org.litestream4j.compaction;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileNotFoundException;

/**
 * A file of the replica as input of a merge. When the connection breaks, it goes on at the byte where it broke. A small file
 * is read at once: many inputs are open at the same time, and connections are few. For one thread.
 */
final class ReplicaInput extends InputStream {

    /** In bytes. */
    static final int SMALL = 64 << 10;

    /** Failures in a row, without a byte between, that end the patience: some three seconds. */
    private static final int MOST_FAILURES = 6;

    private static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final ReplicaClient client;
    private final LtxFileInfo file;
    private final StopSignal stop;
    private long position;
    private @Nullable InputStream in;
    private OptionalLong databaseChecksum = OptionalLong.empty();
    private int failures;

    private ReplicaInput(ReplicaClient client, LtxFileInfo file, StopSignal stop) {
        this.client = client;
        this.file = file;
        this.stop = stop;
    }

    static OpenedFile open(ReplicaClient client, LtxFileInfo file, StopSignal stop) throws IOException {
        ReplicaInput input = new ReplicaInput(client, file, stop);
        if (file.size() > SMALL) {
            input.connect();
            return new OpenedFile(input, input.databaseChecksum);
        }
        try (input) {
            byte[] content = input.readNBytes(SMALL);
            return new OpenedFile(new ByteArrayInputStream(content), input.databaseChecksum);
        }
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
        if (position == file.size()) {
            return -1;
        }
        while (true) {
            stop.check();
            try {
                int count = readOnce(bytes, offset, (int) Math.min(length, file.size() - position));
                failures = 0;
                position += count;
                return count;
            } catch (IOException e) {
                pauseAfter(e);
            }
        }
    }

    private void connect() throws IOException {
        while (true) {
            stop.check();
            try {
                current();
                return;
            } catch (IOException e) {
                pauseAfter(e);
            }
        }
    }

    /** @throws IOException the failure, where a repetition will not help */
    private void pauseAfter(IOException failure) throws IOException {
        if (failure instanceof ReplicaFileNotFoundException || failure instanceof ReplicaAccessException) {
            throw failure;
        }
        closeAfter(failure);
        if (++failures == MOST_FAILURES) {
            throw failure;
        }
        LockSupport.parkNanos(FIRST_PAUSE_NANOS << (failures - 1));
    }

    private int readOnce(byte[] bytes, int offset, int length) throws IOException {
        int count = current().read(bytes, offset, length);
        if (count < 0) {
            throw new EOFException(
                    Inputs.label(client, file) + " ends at byte " + position + ", listed with " + file.size());
        }
        return count;
    }

    private InputStream current() throws IOException {
        InputStream current = in;
        if (current == null) {
            OpenedFile opened = client.openFile(file.level(), file.name(), position, file.size() - position);
            databaseChecksum = opened.databaseChecksum();
            current = opened.content();
            in = current;
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
