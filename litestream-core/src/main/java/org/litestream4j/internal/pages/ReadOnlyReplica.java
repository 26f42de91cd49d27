package org.litestream4j.internal.pages;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.OtherBackup;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaUpload;

/** A replica that is only read; counts its requests. */
final class ReadOnlyReplica implements ReplicaClient {

    private final ReplicaClient client;
    private final PageCounters counters;

    ReadOnlyReplica(ReplicaClient client, PageCounters counters) {
        this.client = client;
        this.counters = counters;
    }

    @Override
    public String url() {
        return client.url();
    }

    /** Returns whether listing the replica is an operation on files, which needs no request. */
    boolean isFolder() {
        return client.url().startsWith("file:");
    }

    @Override
    public void prepare() {
        throw readOnly();
    }

    @Override
    public void list(int level, Txid from, Visitor visitor) throws IOException {
        counters.requests.increment();
        client.list(level, from, visitor);
    }

    @Override
    public void listAll(List<Txid> from, Visitor visitor) throws IOException {
        counters.requests.increment();
        client.listAll(from, visitor);
    }

    @Override
    public OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException {
        counters.requests.increment();
        OpenedFile opened = client.openFile(level, name, offset, length);
        return new OpenedFile(new CountedStream(opened.content()), opened.databaseChecksum(), opened.version());
    }

    @Override
    public Instant timestamp(LtxFileInfo file) throws IOException {
        if (!file.exact()) {
            counters.requests.increment();
        }
        return client.timestamp(file);
    }

    @Override
    public Optional<OtherBackup> otherBackup() throws IOException {
        return client.otherBackup();
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
    public ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum) {
        throw readOnly();
    }

    @Override
    public void delete(int level, Collection<LtxFileName> names) {
        throw readOnly();
    }

    private static UnsupportedOperationException readOnly() {
        return new UnsupportedOperationException("a read replica never writes");
    }

    @Override
    public void close() throws IOException {
        client.close();
    }

    private final class CountedStream extends FilterInputStream {

        CountedStream(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int value = super.read();
            counters.bytesRead.add(value < 0 ? 0 : 1);
            return value;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int count = super.read(bytes, offset, length);
            counters.bytesRead.add(Math.max(count, 0));
            return count;
        }
    }
}
