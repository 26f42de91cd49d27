package org.litestream4j.replica.file;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Objects;

/** Part of a file. Returns exactly the requested number of bytes, or throws an exception. */
final class RangeInputStream extends InputStream {

    private final FileReplicaClient client;

    private final Path path;

    private final FileChannel channel;

    private long remaining;

    RangeInputStream(FileReplicaClient client, Path path, FileChannel channel, long length) {
        this.client = client;
        this.path = path;
        this.channel = channel;
        this.remaining = length;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        client.checkOpen();
        if (length == 0) {
            return 0;
        }
        if (remaining == 0) {
            return -1;
        }
        int count = channel.read(ByteBuffer.wrap(bytes, offset, (int) Math.min(length, remaining)));
        if (count < 0) {
            throw new EOFException(path + " became shorter while it was read: " + remaining + " bytes are missing");
        }
        remaining -= count;
        return count;
    }

    @Override
    public int available() {
        return (int) Math.min(remaining, Integer.MAX_VALUE);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
