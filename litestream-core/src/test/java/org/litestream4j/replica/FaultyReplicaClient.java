package org.litestream4j.replica;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;

/**
 * A client that fails as told: the nth call of a kind, before or after the call took effect, at random from a seed, or in
 * the middle of a stream. Counts calls. Thread-safe.
 */
public final class FaultyReplicaClient implements ReplicaClient {

    /** What can fail. */
    public enum Call {
        PREPARE,
        LIST,
        OPEN,
        TIMESTAMP,
        WRITE,
        PUBLISH,
        DELETE
    }

    /** Something to do in the middle of a call. */
    @FunctionalInterface
    public interface Action {
        void run() throws IOException;
    }

    private final ReplicaClient delegate;

    private final Map<Call, Integer> calls = new EnumMap<>(Call.class);

    private final Map<Call, Map<Integer, Action>> before = new EnumMap<>(Call.class);

    private final Map<Call, Map<Integer, Action>> after = new EnumMap<>(Call.class);

    private final Map<Integer, Long> brokenStreams = new HashMap<>();

    private Random random = new Random(0);

    private double failureProbability;

    private boolean shortReads;

    private long bytesRead;

    public FaultyReplicaClient(ReplicaClient delegate) {
        this.delegate = delegate;
    }

    /** The nth call from now (1 is the next) fails and has no effect. */
    public FaultyReplicaClient failBefore(Call call, int nth) {
        return before(call, nth, () -> {
            throw new IOException("fault before " + call);
        });
    }

    /** The nth call from now (1 is the next) takes effect, but its caller gets an exception. */
    public synchronized FaultyReplicaClient failAfter(Call call, int nth) {
        after.computeIfAbsent(call, key -> new HashMap<>()).put(calls(call) + nth, () -> {
            throw new IOException("fault after " + call);
        });
        return this;
    }

    /** Does something before the nth call from now (1 is the next): deletes a file, throws another exception. */
    public synchronized FaultyReplicaClient before(Call call, int nth, Action action) {
        before.computeIfAbsent(call, key -> new HashMap<>()).put(calls(call) + nth, action);
        return this;
    }

    /** The stream of the nth call of {@link #open} from now (1 is the next) breaks after so many bytes. */
    public synchronized FaultyReplicaClient breakStream(int nth, long afterBytes) {
        brokenStreams.put(calls(Call.OPEN) + nth, afterBytes);
        return this;
    }

    /** Every call fails with this probability, half of them after they took effect; streams break likewise. */
    public synchronized FaultyReplicaClient failAtRandom(double probability, long seed) {
        failureProbability = probability;
        random = new Random(seed);
        return this;
    }

    /** Streams give fewer bytes than asked for. */
    public synchronized FaultyReplicaClient readShort(long seed) {
        shortReads = true;
        random = new Random(seed);
        return this;
    }

    /** Calls of this kind so far. */
    public synchronized int calls(Call call) {
        return calls.getOrDefault(call, 0);
    }

    /** Bytes that streams gave so far. */
    public synchronized long bytesRead() {
        return bytesRead;
    }

    private int enter(Call call) throws IOException {
        int number;
        Action action;
        boolean fail;
        synchronized (this) {
            number = calls.merge(call, 1, Integer::sum);
            action = before.getOrDefault(call, Map.of()).get(number);
            fail = fails();
        }
        if (action != null) {
            action.run();
        }
        if (fail) {
            throw new IOException("random fault before " + call + " " + number);
        }
        return number;
    }

    private void leave(Call call, int number) throws IOException {
        Action action;
        boolean fail;
        synchronized (this) {
            action = after.getOrDefault(call, Map.of()).get(number);
            fail = fails();
        }
        if (action != null) {
            action.run();
        }
        if (fail) {
            throw new IOException("random fault after " + call + " " + number);
        }
    }

    private synchronized boolean fails() {
        return failureProbability > 0 && random.nextDouble() < failureProbability / 2;
    }

    @Override
    public String url() {
        return delegate.url();
    }

    @Override
    public void prepare() throws IOException {
        int number = enter(Call.PREPARE);
        delegate.prepare();
        leave(Call.PREPARE, number);
    }

    @Override
    public Optional<OtherBackup> otherBackup() throws IOException {
        return delegate.otherBackup();
    }

    @Override
    public void list(int level, Txid from, Visitor visitor) throws IOException {
        int number = enter(Call.LIST);
        delegate.list(level, from, visitor);
        leave(Call.LIST, number);
    }

    @Override
    public OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException {
        int number = enter(Call.OPEN);
        long breakAfter;
        synchronized (this) {
            breakAfter = brokenStreams.getOrDefault(number, fails() ? (long) random.nextInt(100_000) : Long.MAX_VALUE);
        }
        OpenedFile opened = delegate.openFile(level, name, offset, length);
        return new OpenedFile(
                new FaultyStream(opened.content(), breakAfter), opened.databaseChecksum(), opened.version());
    }

    @Override
    public Instant timestamp(LtxFileInfo file) throws IOException {
        int number = enter(Call.TIMESTAMP);
        Instant timestamp = delegate.timestamp(file);
        leave(Call.TIMESTAMP, number);
        return timestamp;
    }

    @Override
    public ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum)
            throws IOException {
        enter(Call.WRITE);
        return new DelegatingReplica.Upload(delegate.write(level, name, timestamp, databaseChecksum)) {
            @Override
            public LtxFileInfo publish() throws IOException {
                int number = enter(Call.PUBLISH);
                LtxFileInfo info = super.publish();
                leave(Call.PUBLISH, number);
                return info;
            }
        };
    }

    @Override
    public void delete(int level, Collection<LtxFileName> names) throws IOException {
        int number = enter(Call.DELETE);
        delegate.delete(level, names);
        leave(Call.DELETE, number);
    }

    @Override
    public Optional<MarkStore> marks() {
        return delegate.marks();
    }

    @Override
    public void close() throws IOException {
        delegate.close();
    }

    private final class FaultyStream extends InputStream {

        private final InputStream in;

        private long left;

        FaultyStream(InputStream in, long breakAfter) {
            this.in = in;
            this.left = breakAfter;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            if (left == 0) {
                throw new IOException("fault: the connection broke");
            }
            int wanted = (int) Math.min(length, left);
            synchronized (FaultyReplicaClient.this) {
                if (shortReads) {
                    wanted = 1 + random.nextInt(Math.min(wanted, 5000));
                }
            }
            int count = in.read(bytes, offset, wanted);
            if (count > 0) {
                left -= count;
                synchronized (FaultyReplicaClient.this) {
                    bytesRead += count;
                }
            }
            return count;
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
