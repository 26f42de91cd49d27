package org.litestream4j.testing;

import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.DelegatingReplica;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaProvider;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.Replicas;

/** Replicas {@code gated:///folder}: in a folder, but slow, held up or away as a test tells. */
public final class GatedReplicaProvider implements ReplicaProvider {

    private static final Map<Path, Control> CONTROLS = new ConcurrentHashMap<>();

    /** Of the replica in a folder. */
    public static Control control(Path folder) {
        return CONTROLS.computeIfAbsent(folder, key -> new Control());
    }

    public static ReplicaLocation location(Path folder) {
        return ReplicaLocation.of("gated://" + folder);
    }

    /** What a replica does. Thread-safe. */
    public static final class Control {
        public final AtomicInteger puts = new AtomicInteger();
        public final AtomicInteger held = new AtomicInteger();
        public volatile Duration delay = Duration.ZERO;
        public volatile boolean away;

        /** Uploads are refused for want of rights. */
        public volatile boolean refuses;

        /** Level to which uploads fail; -1 if to none. */
        public volatile int refusedLevel = -1;

        /** Level whose uploads do not become visible until this is set to another one; -1 if there is none. */
        public volatile int heldLevel = -1;

        /** Level whose uploads are visible, but not answered, until this is set to another one; -1 if there is none. */
        public volatile int unansweredLevel = -1;

        /** What is published is there, but nobody hears of it. */
        public volatile boolean answersLost;

        /** Whether missing files are noticed as soon as in a folder. */
        public volatile boolean local;

        private volatile boolean shut;

        /** Uploads begun from now on do not end. */
        public void shut() {
            shut = true;
        }

        public void open() {
            shut = false;
        }

        private void pass() throws IOException {
            puts.incrementAndGet();
            long end = System.nanoTime() + delay.toNanos();
            while (shut || System.nanoTime() < end) {
                LockSupport.parkNanos(shut ? 1_000_000 : end - System.nanoTime());
            }
            check();
        }

        private void check() throws IOException {
            if (away) {
                throw new ConnectException("Connection refused");
            }
        }
    }

    @Override
    public Set<String> schemes() {
        return Set.of("gated");
    }

    @Override
    public ReplicaClient create(ReplicaLocation location) {
        Path folder = Path.of(location.url().substring("gated://".length()));
        return new Client(
                Replicas.open(ReplicaLocation.of(folder.toUri().toString())), control(folder), location.url());
    }

    private static final class Client extends DelegatingReplica {

        private final ReplicaClient replica;
        private final Control control;
        private final String url;

        Client(ReplicaClient replica, Control control, String url) {
            super(replica);
            this.replica = replica;
            this.control = control;
            this.url = url;
        }

        @Override
        public String url() {
            return url;
        }

        @Override
        public String place() throws IOException {
            return control.local ? replica.place() : super.place();
        }

        @Override
        public void prepare() throws IOException {
            control.check();
            super.prepare();
        }

        @Override
        public void list(int level, Txid from, Visitor visitor) throws IOException {
            control.check();
            super.list(level, from, visitor);
        }

        @Override
        public OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException {
            control.check();
            return super.openFile(level, name, offset, length);
        }

        @Override
        public ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum)
                throws IOException {
            return new Upload(super.write(level, name, timestamp, databaseChecksum)) {
                @Override
                public LtxFileInfo publish() throws IOException {
                    control.pass();
                    if (control.refuses) {
                        throw new ReplicaAccessException(url, "access denied", "give the right to write", null);
                    }
                    if (control.refusedLevel == level) {
                        throw new ConnectException("Connection refused");
                    }
                    if (control.heldLevel == level) {
                        control.held.incrementAndGet();
                        while (control.heldLevel == level) {
                            LockSupport.parkNanos(1_000_000);
                        }
                    }
                    LtxFileInfo published = super.publish();
                    while (control.unansweredLevel == level) {
                        LockSupport.parkNanos(1_000_000);
                    }
                    if (control.answersLost) {
                        throw new ConnectException("Connection reset");
                    }
                    return published;
                }
            };
        }
    }
}
