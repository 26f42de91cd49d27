package org.litestream4j.testing;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;

/** An open file whose reads, writes and fsyncs fail; a failed write may have written a part, a failed fsync lost it. */
final class FaultyChannel extends FileChannel {
    private final FaultyFiles faults;
    private final Path path;
    private final FileChannel channel;

    /** Where and how much was written last, and may be lost. */
    private long unforced;

    private int unforcedSize;

    FaultyChannel(FaultyFiles faults, Path path, FileChannel channel) {
        this.faults = faults;
        this.path = path;
        this.channel = channel;
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        checkRead();
        return channel.read(target);
    }

    @Override
    public int read(ByteBuffer target, long at) throws IOException {
        faults.reading(at);
        checkRead();
        return channel.read(target, at);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        checkRead();
        return channel.read(targets, offset, length);
    }

    private void checkRead() throws IOException {
        if (faults.strikes(FaultyFiles.Call.READ)) {
            throw FaultyFiles.error(path, "Input/output error");
        }
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        long at = channel.position();
        int count;
        try {
            count = write(source, at);
        } catch (IOException e) {
            channel.position(at + unforcedSize);
            throw e;
        }
        channel.position(at + count);
        return count;
    }

    @Override
    public int write(ByteBuffer source, long at) throws IOException {
        faults.awaitWrites(path);
        unforced = at;
        unforcedSize = 0;
        int size = source.remaining();
        if (size > 0 && faults.strikes(FaultyFiles.Call.WRITE)) {
            int part = faults.random(2) == 0 ? 0 : faults.random(size);
            if (part > 0) {
                faults.countTornWrite();
                unforcedSize = writePart(source, at, part);
            }
            throw new IOException("No space left on device");
        }
        int part = size;
        if (size > 1 && faults.random(4) == 0) {
            part = 1 + faults.random(size - 1);
            faults.countShortWrite();
        }
        unforcedSize = writePart(source, at, part);
        return unforcedSize;
    }

    private int writePart(ByteBuffer source, long at, int size) throws IOException {
        if (faults.losesWrites()) {
            source.position(source.position() + size);
            return size;
        }
        int end = source.limit();
        try {
            source.limit(source.position() + size);
            return channel.write(source, at);
        } finally {
            source.limit(end);
        }
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        return write(sources[offset]);
    }

    @Override
    public void force(boolean metaData) throws IOException {
        if (faults.strikes(FaultyFiles.Call.FORCE)) {
            if (unforcedSize > 0 && faults.random(2) == 0) {
                int lost = 1 + faults.random(unforcedSize);
                channel.write(ByteBuffer.allocate(lost), unforced + unforcedSize - lost);
            }
            throw new IOException("Input/output error");
        }
        channel.force(metaData);
        unforcedSize = 0;
    }

    @Override
    public long position() throws IOException {
        return channel.position();
    }

    @Override
    public FileChannel position(long at) throws IOException {
        channel.position(at);
        return this;
    }

    @Override
    public long size() throws IOException {
        return channel.size();
    }

    @Override
    public FileChannel truncate(long size) throws IOException {
        channel.truncate(size);
        return this;
    }

    @Override
    public long transferTo(long at, long count, WritableByteChannel target) throws IOException {
        checkRead();
        return channel.transferTo(at, count, target);
    }

    @Override
    public long transferFrom(ReadableByteChannel source, long at, long count) {
        throw new UnsupportedOperationException();
    }

    @Override
    public MappedByteBuffer map(MapMode mapMode, long at, long size) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileLock lock(long at, long size, boolean shared) throws IOException {
        return channel.lock(at, size, shared);
    }

    @Override
    public FileLock tryLock(long at, long size, boolean shared) throws IOException {
        return channel.tryLock(at, size, shared);
    }

    @Override
    protected void implCloseChannel() throws IOException {
        channel.close();
    }
}
