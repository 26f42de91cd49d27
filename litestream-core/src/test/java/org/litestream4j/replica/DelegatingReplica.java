package org.litestream4j.replica;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Optional;
import java.util.OptionalLong;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;

/** Passes on what every backend must do; what {@link ReplicaClient} does by default goes the same way, through these methods. */
public class DelegatingReplica implements ReplicaClient {

    private final ReplicaClient delegate;

    public DelegatingReplica(ReplicaClient delegate) {
        this.delegate = delegate;
    }

    @Override
    public String url() {
        return delegate.url();
    }

    @Override
    public void prepare() throws IOException {
        delegate.prepare();
    }

    @Override
    public void list(int level, Txid from, Visitor visitor) throws IOException {
        delegate.list(level, from, visitor);
    }

    @Override
    public OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException {
        return delegate.openFile(level, name, offset, length);
    }

    @Override
    public ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum)
            throws IOException {
        return delegate.write(level, name, timestamp, databaseChecksum);
    }

    @Override
    public void delete(int level, Collection<LtxFileName> names) throws IOException {
        delegate.delete(level, names);
    }

    @Override
    public Optional<MarkStore> marks() {
        return delegate.marks();
    }

    @Override
    public Duration lockedFor() {
        return delegate.lockedFor();
    }

    @Override
    public void close() throws IOException {
        delegate.close();
    }

    /** Passes everything on. */
    public static class Upload extends ReplicaUpload {

        private final ReplicaUpload delegate;

        public Upload(ReplicaUpload delegate) {
            this.delegate = delegate;
        }

        @Override
        public void write(int value) throws IOException {
            delegate.write(value);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            delegate.write(bytes, offset, length);
        }

        @Override
        public void flush() throws IOException {
            delegate.flush();
        }

        @Override
        public LtxFileInfo publish() throws IOException {
            return delegate.publish();
        }

        @Override
        public void close() throws IOException {
            delegate.close();
        }
    }
}
