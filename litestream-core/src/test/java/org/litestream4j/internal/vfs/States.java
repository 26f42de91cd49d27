package org.litestream4j.internal.vfs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.litestream4j.internal.pages.PageSource;
import org.litestream4j.internal.pages.PinnedState;
import org.litestream4j.internal.pages.StateInfo;
import org.litestream4j.ltx.Txid;
import org.sqlite.SQLiteConnection;

/** States of a real database, kept whole in memory; each state is second {@code n} of 2026 for TXID n. */
public final class States implements PageSource, MomentSource {

    public static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    /** States that are kept; connections may keep older ones. */
    private static final int KEPT = 100;

    /** Called before each read; may throw. */
    public interface Fault {
        void beforeRead(long offset) throws IOException;
    }

    private final List<State> states = new ArrayList<>();
    private final AtomicLong versions = new AtomicLong();
    public final AtomicInteger pinned = new AtomicInteger();
    public final AtomicLong reads = new AtomicLong();
    public volatile Fault fault = offset -> {};
    public volatile Fault pinFault = offset -> {};
    private volatile State newest;

    /** Adds a state with the next TXID. */
    public State add(byte[] image) {
        return add(image, new Txid(states.size() + 1L));
    }

    /** Adds a state, also if its TXID was there before. */
    public synchronized State add(byte[] image, Txid txid) {
        int pageSize = ((image[16] & 0xFF) << 8) | (image[17] & 0xFF);
        pageSize = pageSize == 1 ? 65_536 : pageSize;
        State state = new State(
                image,
                new StateInfo(
                        txid,
                        versions.incrementAndGet(),
                        START.plusSeconds(txid.value()),
                        pageSize,
                        image.length / pageSize,
                        Duration.ofSeconds(3)));
        states.add(state);
        if (states.size() > KEPT) {
            states.set(states.size() - 1 - KEPT, null);
        }
        newest = state;
        return state;
    }

    public State add(Connection primary) throws SQLException {
        return add(image(primary));
    }

    /** The database file of a connection as it is now. */
    public static byte[] image(Connection connection) throws SQLException {
        return connection.unwrap(SQLiteConnection.class).serialize("main");
    }

    public synchronized State state(int index) {
        return states.get(index);
    }

    @Override
    public PinnedState pin() throws IOException {
        pinFault.beforeRead(-1);
        return newest.pin();
    }

    @Override
    public StateInfo latest() {
        return newest.info;
    }

    @Override
    public PageSource newest() {
        return this;
    }

    @Override
    public synchronized PageSource at(Instant moment) throws IOException {
        for (int i = states.size() - 1; i >= 0; i--) {
            if (states.get(i) != null && !states.get(i).info.timestamp().isAfter(moment)) {
                return states.get(i);
            }
        }
        throw new IOException("the replica does not reach back to " + moment);
    }

    public ReplicaDatabase database() {
        return new ReplicaDatabase(this, this);
    }

    /** One state, itself a source. */
    public final class State implements PageSource {

        final byte[] image;
        final StateInfo info;

        private State(byte[] image, StateInfo info) {
            this.image = image;
            this.info = info;
        }

        @Override
        public PinnedState pin() {
            pinned.incrementAndGet();
            return new Pin(this);
        }

        @Override
        public StateInfo latest() {
            return info;
        }
    }

    private final class Pin implements PinnedState {

        private final State state;
        private boolean released;

        private Pin(State state) {
            this.state = state;
        }

        @Override
        public StateInfo info() {
            return state.info;
        }

        @Override
        public int read(long offset, ByteBuffer target) throws IOException {
            if (released) {
                throw new IOException("read after release");
            }
            reads.incrementAndGet();
            fault.beforeRead(offset);
            int length = (int) Math.min(target.remaining(), state.image.length - offset);
            if (length > 0) {
                target.put(state.image, (int) offset, length);
            }
            return Math.max(0, length);
        }

        @Override
        public void release() {
            if (!released) {
                released = true;
                pinned.decrementAndGet();
            }
        }
    }
}
