package org.litestream4j.compaction;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.Collection;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaUpload;

/** Passes everything on. */
class DelegatingReplica implements ReplicaClient {
    private final ReplicaClient delegate;

    DelegatingReplica(ReplicaClient delegate) {
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
    public InputStream open(int level, LtxFileName name, long offset, long length) throws IOException {
        return delegate.open(level, name, offset, length);
    }

    @Override
    public ReplicaUpload write(int level, LtxFileName name, Instant timestamp) throws IOException {
        return delegate.write(level, name, timestamp);
    }

    @Override
    public void delete(int level, Collection<LtxFileName> names) throws IOException {
        delegate.delete(level, names);
    }

    @Override
    public void close() throws IOException {
        delegate.close();
    }
}
