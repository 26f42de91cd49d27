package org.litestream4j.internal.engine;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.litestream4j.ReplicaOperation;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.OtherBackup;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.ReplicaUpload;

/** Counts the operations on the files of a replica, for any backend. */
final class CountingReplicaClient implements ReplicaClient {

    private final ReplicaClient client;
    private final EngineCounters counters;

    CountingReplicaClient(ReplicaClient client, EngineCounters counters) {
        this.client = client;
        this.counters = counters;
    }

    @Override
    public String url() {
        return client.url();
    }

    @Override
    public void prepare() throws IOException {
        client.prepare();
    }

    @Override
    public void list(int level, Txid from, Visitor visitor) throws IOException {
        countedListing(() -> client.list(level, from, visitor));
    }

    @Override
    public void listAll(List<Txid> from, Visitor visitor) throws IOException {
        countedListing(() -> client.listAll(from, visitor));
    }

    private interface Listing {
        void run() throws IOException;
    }

    private void countedListing(Listing listing) throws IOException {
        long begun = System.nanoTime();
        boolean failed = true;
        try {
            listing.run();
            failed = false;
        } finally {
            counters.operated(ReplicaOperation.LIST, System.nanoTime() - begun, 0, failed);
        }
    }

    @Override
    public OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException {
        return counted(() -> client.openFile(level, name, offset, length));
    }

    /** Counts a file that is opened with retries as one operation. */
    @Override
    public InputStream open(int level, LtxFileName name, long offset, long length) throws IOException {
        return counted(() -> new OpenedFile(client.open(level, name, offset, length), OptionalLong.empty()))
                .content();
    }

    @FunctionalInterface
    private interface Opening {
        OpenedFile run() throws IOException;
    }

    private OpenedFile counted(Opening opening) throws IOException {
        long begun = System.nanoTime();
        boolean failed = true;
        try {
            OpenedFile file = opening.run();
            InputStream in = new CountingInputStream(file.content(), begun);
            failed = false;
            return new OpenedFile(in, file.databaseChecksum(), file.version());
        } catch (ReplicaFileNotFoundException e) {
            counters.operated(ReplicaOperation.GET, System.nanoTime() - begun, 0, false); // a valid answer
            failed = false;
            throw e;
        } finally {
            if (failed) {
                counters.operated(ReplicaOperation.GET, System.nanoTime() - begun, 0, true);
            }
        }
    }

    @Override
    public Instant timestamp(LtxFileInfo file) throws IOException {
        return client.timestamp(file);
    }

    @Override
    public Optional<MarkStore> marks() {
        return client.marks();
    }

    @Override
    public Duration lockedFor() {
        return client.lockedFor();
    }

    @Override
    public String place() throws IOException {
        return client.place();
    }

    @Override
    public Optional<OtherBackup> otherBackup() throws IOException {
        return client.otherBackup();
    }

    @Override
    public ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum)
            throws IOException {
        long begun = System.nanoTime();
        boolean failed = true;
        try {
            ReplicaUpload upload = new CountingUpload(client.write(level, name, timestamp, databaseChecksum), begun);
            failed = false;
            return upload;
        } finally {
            if (failed) {
                counters.operated(ReplicaOperation.PUT, System.nanoTime() - begun, 0, true);
            }
        }
    }

    @Override
    public void delete(int level, Collection<LtxFileName> names) throws IOException {
        long begun = System.nanoTime();
        boolean failed = true;
        try {
            client.delete(level, names);
            failed = false;
        } finally {
            counters.operated(ReplicaOperation.DELETE, System.nanoTime() - begun, 0, failed);
        }
    }

    @Override
    public void close() throws IOException {
        client.close();
    }

    /** Counts the operation once, when the stream is closed. */
    private final class CountingInputStream extends FilterInputStream {
        private final long begun;
        private long bytes;
        private boolean failed;
        private boolean closed;

        CountingInputStream(InputStream in, long begun) {
            super(in);
            this.begun = begun;
        }

        @Override
        public int read() throws IOException {
            try {
                int value = super.read();
                bytes += value < 0 ? 0 : 1;
                return value;
            } catch (IOException e) {
                failed = true;
                throw e;
            }
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            try {
                int count = super.read(buffer, offset, length);
                bytes += Math.max(0, count);
                return count;
            } catch (IOException e) {
                failed = true;
                throw e;
            }
        }

        @Override
        public void close() throws IOException {
            try {
                super.close();
            } finally {
                if (!closed) {
                    closed = true;
                    counters.operated(ReplicaOperation.GET, System.nanoTime() - begun, bytes, failed);
                }
            }
        }
    }

    /** Counts the operation once, when the upload is closed; an upload that was not published counts as failed. */
    private final class CountingUpload extends ReplicaUpload {
        private final ReplicaUpload upload;
        private final long begun;
        private long bytes;
        private long nanos;
        private boolean published;
        private boolean closed;

        CountingUpload(ReplicaUpload upload, long begun) {
            this.upload = upload;
            this.begun = begun;
        }

        @Override
        public void write(int value) throws IOException {
            upload.write(value);
            bytes++;
        }

        @Override
        public void write(byte[] buffer, int offset, int length) throws IOException {
            upload.write(buffer, offset, length);
            bytes += length;
        }

        @Override
        public void flush() throws IOException {
            upload.flush();
        }

        @Override
        public LtxFileInfo publish() throws IOException {
            LtxFileInfo file = upload.publish();
            published = true;
            nanos = System.nanoTime() - begun;
            return file;
        }

        @Override
        public void close() throws IOException {
            try {
                upload.close();
            } finally {
                if (!closed) {
                    closed = true;
                    counters.operated(
                            ReplicaOperation.PUT, published ? nanos : System.nanoTime() - begun, bytes, !published);
                }
            }
        }
    }
}
