package org.litestream4j.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaProvider;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.Replicas;

/** Replicas {@code slow:///folder}: in a folder, and each file takes at least 20 ms. */
public final class SlowReplicaProvider implements ReplicaProvider {

    private static final long PUT_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    @Override
    public Set<String> schemes() {
        return Set.of("slow");
    }

    @Override
    public ReplicaClient create(ReplicaLocation location) {
        Path folder = Path.of(location.url().substring("slow://".length()));
        return new Client(Replicas.open(ReplicaLocation.of(folder.toUri().toString())), location.url());
    }

    private record Client(ReplicaClient replica, String url) implements ReplicaClient {

        @Override
        public void prepare() throws IOException {
            replica.prepare();
        }

        @Override
        public void list(int level, Txid from, Visitor visitor) throws IOException {
            replica.list(level, from, visitor);
        }

        @Override
        public InputStream open(int level, LtxFileName name, long offset, long length) throws IOException {
            return replica.open(level, name, offset, length);
        }

        @Override
        public ReplicaUpload write(int level, LtxFileName name, Instant timestamp) throws IOException {
            return new Upload(replica.write(level, name, timestamp));
        }

        @Override
        public void delete(int level, Collection<LtxFileName> names) throws IOException {
            replica.delete(level, names);
        }

        @Override
        public void close() throws IOException {
            replica.close();
        }
    }

    private static final class Upload extends ReplicaUpload {
        private final ReplicaUpload upload;
        private final long end = System.nanoTime() + PUT_NANOS;

        Upload(ReplicaUpload upload) {
            this.upload = upload;
        }

        @Override
        public void write(int value) throws IOException {
            upload.write(value);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            upload.write(bytes, offset, length);
        }

        @Override
        public LtxFileInfo publish() throws IOException {
            LtxFileInfo file = upload.publish();
            for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
            return file;
        }

        @Override
        public void close() throws IOException {
            upload.close();
        }
    }
}
