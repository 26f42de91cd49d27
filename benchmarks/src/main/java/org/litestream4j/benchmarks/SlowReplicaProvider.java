package org.litestream4j.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.DelegatingReplica;
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

    private static final class Client extends DelegatingReplica {

        private final String url;

        Client(ReplicaClient replica, String url) {
            super(replica);
            this.url = url;
        }

        @Override
        public String url() {
            return url;
        }

        @Override
        public ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum)
                throws IOException {
            long end = System.nanoTime() + PUT_NANOS;
            return new Upload(super.write(level, name, timestamp, databaseChecksum)) {
                @Override
                public LtxFileInfo publish() throws IOException {
                    LtxFileInfo file = super.publish();
                    for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
                        LockSupport.parkNanos(left);
                    }
                    return file;
                }
            };
        }
    }
}
