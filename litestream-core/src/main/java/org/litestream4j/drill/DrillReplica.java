package org.litestream4j.drill;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.OtherBackup;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.RequestListener;

/** The replica as a drill sees it: read only, within the limits of the drill, and counted. Thread-safe. */
final class DrillReplica implements ReplicaClient {

    private final ReplicaClient client;
    private final Limits limits;
    private final AtomicLong bytes = new AtomicLong();

    DrillReplica(ReplicaClient client, Limits limits) {
        this.client = client;
        this.limits = limits;
    }

    /** Returns the number of bytes of content read. */
    long bytes() {
        return bytes.get();
    }

    @Override
    public String url() {
        return client.url();
    }

    @Override
    public void prepare() {
        throw readOnly();
    }

    @Override
    public void list(int level, Txid from, Visitor visitor) throws IOException {
        client.list(level, from, visitor);
    }

    @Override
    public void listAll(List<Txid> from, Visitor visitor) throws IOException {
        client.listAll(from, visitor);
    }

    @Override
    public OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException {
        OpenedFile file = client.openFile(level, name, offset, length);
        return new OpenedFile(new Reading(file.content()), file.databaseChecksum(), file.version());
    }

    @Override
    public Instant timestamp(LtxFileInfo file) throws IOException {
        return client.timestamp(file);
    }

    @Override
    public ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum) {
        throw readOnly();
    }

    @Override
    public void delete(int level, Collection<LtxFileName> names) {
        throw readOnly();
    }

    @Override
    public Optional<MarkStore> marks() {
        return client.marks();
    }

    @Override
    public Optional<OtherBackup> otherBackup() throws IOException {
        return client.otherBackup();
    }

    @Override
    public String place() throws IOException {
        return client.place();
    }

    @Override
    public void close() throws IOException {
        client.close();
    }

    private static IllegalStateException readOnly() {
        return new IllegalStateException("a drill does not change the replica");
    }

    /** Content of a file; pauses after each read. */
    private final class Reading extends FilterInputStream {

        private final Limits.Work work = new Limits.Work();

        Reading(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int value = super.read();
            bytes.addAndGet(value < 0 ? 0 : 1);
            return value;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int count = super.read(buffer, offset, length);
            bytes.addAndGet(Math.max(0, count));
            limits.pauseAfter(work);
            return count;
        }
    }

    /** Counts requests by operation. Thread-safe. */
    static final class Requests implements RequestListener {

        private final Map<RequestType, AtomicLong> counts = new ConcurrentHashMap<>();

        @Override
        public void onRequest(Request request) {
            counts.computeIfAbsent(request.type(), key -> new AtomicLong()).incrementAndGet();
        }

        Map<RequestType, Long> counts() {
            Map<RequestType, Long> result = new EnumMap<>(RequestType.class);
            counts.forEach((operation, count) -> result.put(operation, count.get()));
            return result;
        }

        Map<String, Long> countsByName() {
            Map<String, Long> result = new TreeMap<>();
            counts().forEach((operation, count) -> result.put(operation.name(), count));
            return result;
        }
    }
}
