package org.litestream4j.internal.vfs;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.pages.PageSource;
import org.litestream4j.internal.pages.PinnedState;
import org.litestream4j.internal.pages.StateInfo;

/**
 * A database that a connection has open. A transaction reads one state, from its lock to its unlock. SQLite uses a file
 * from one thread at a time.
 */
final class OpenFile {

    private final String name;
    private final ReplicaDatabase database;
    private final PageOne pageOne;
    private final boolean isGuarded;
    private final Buffers buffers = new Buffers();
    private PageSource source;
    private @Nullable PinnedState pinned;
    private long connection;
    private boolean isShared;

    /** What the pages and the schema that SQLite may have cached are of. */
    private @Nullable PageSource cachedSource;

    private long cachedVersion;
    private int changeCounter;
    private byte @Nullable [] cachedSchema;
    private int schemaCookie;
    private boolean isSchemaChecked;

    /** What SQLite compares at the start of each transaction; null until it was read of this state. */
    private byte @Nullable [] fileVersion;

    /** @param isGuarded whether the connection notices that an error rolled its transaction back */
    OpenFile(String name, ReplicaDatabase database, PageOne pageOne, boolean isGuarded) {
        this.name = name;
        this.isGuarded = isGuarded;
        this.database = database;
        this.pageOne = pageOne;
        this.source = database.pages();
    }

    /** Begins a transaction on the present state. SQLite asks only if it has no lock. */
    void lock() throws IOException {
        if (isShared) {
            throw new IOException("several connections share the cache of " + name
                    + ", so that one would change what the" + " others read; do not use SQLite's shared cache");
        }
        PinnedState state = source.pin();
        unlock(); // left by an unlock that could not run
        StateInfo info = state.info();
        if (source != cachedSource || info.version() != cachedVersion) {
            cachedSource = source;
            cachedVersion = info.version();
            changeCounter++;
            isSchemaChecked = false;
            fileVersion = null;
        }
        pinned = state;
    }

    /** Ends a transaction, if there is one. */
    void unlock() {
        PinnedState state = pinned;
        pinned = null;
        if (state != null) {
            state.release();
        }
    }

    /** Records the connection, a {@code sqlite3}, that has this file open. */
    void belongsTo(long handle) {
        isShared = connection != 0; // SQLite tells this once for each connection that opens the file
        connection = handle;
    }

    boolean isGuarded() {
        return isGuarded;
    }

    Buffers buffers() {
        return buffers;
    }

    long connection() {
        return connection;
    }

    boolean isLocked() {
        return pinned != null;
    }

    /** Returns the state that the transaction reads, or outside of one, the present state. */
    StateInfo info() {
        PinnedState state = pinned;
        return state == null ? source.latest() : state.info();
    }

    long size() {
        StateInfo info = info();
        return info.pageCount() * info.pageSize();
    }

    /**
     * Reads bytes as SQLite must see them. Outside of a transaction, only the header can be read, from which SQLite learns
     * the page size.
     *
     * @param target filled from its start to its limit
     * @return number of bytes read; fewer than asked only past the end of the database
     */
    int read(long offset, ByteBuffer target) throws IOException {
        PinnedState state = pinned;
        if (state != null) {
            return read(state, offset, target);
        }
        if (offset + target.remaining() > PageOne.HEADER_SIZE) {
            throw new IOException("SQLite reads " + name + " without a lock; remove nolock=1 from its URI");
        }
        PinnedState present = source.pin();
        try {
            return read(present, offset, target);
        } finally {
            present.release();
        }
    }

    /**
     * Returns the {@link PageOne#VERSION_SIZE} bytes at {@link PageOne#VERSION} of the state of the transaction, from
     * memory if they were read before.
     */
    byte[] version() throws IOException {
        byte[] version = fileVersion;
        if (version == null || pinned == null) {
            version = new byte[PageOne.VERSION_SIZE];
            read(PageOne.VERSION, ByteBuffer.wrap(version));
            fileVersion = pinned == null ? null : version;
        }
        return version;
    }

    private int read(PinnedState state, long offset, ByteBuffer target) throws IOException {
        StateInfo info = state.info();
        long left = info.pageCount() * info.pageSize() - offset;
        if (left <= 0) {
            throw new EOFException("offset " + offset + " is past the end of " + name + " at TXID " + info.txid());
        }
        if (left < target.limit()) {
            target.limit((int) left); // page 1 of a smaller page size than before
        }
        while (target.hasRemaining()) {
            if (state.read(offset + target.position(), target) <= 0) {
                throw new EOFException("offset " + (offset + target.position()) + " of " + name + " at TXID "
                        + info.txid() + " is missing");
            }
        }
        if (offset < PageOne.HEADER_SIZE) {
            if (offset + target.limit() > PageOne.HEADER_SIZE && state == pinned && !isSchemaChecked) {
                checkSchema(state, target, offset);
            }
            pageOne.patch(target, offset, changeCounter, schemaCookie);
        }
        return target.limit();
    }

    /** Changes the cookie unless the schema is known to be the one that SQLite may have cached. */
    private void checkSchema(PinnedState state, ByteBuffer header, long offset) throws IOException {
        byte[] schema = SchemaDigest.of(state);
        if (cachedSchema == null && schemaCookie == 0 && offset == 0) {
            schemaCookie = header.getInt(40);
        } else if (schema == null || !Arrays.equals(schema, cachedSchema)) {
            schemaCookie++;
        }
        cachedSchema = schema;
        isSchemaChecked = true;
    }

    /**
     * Selects the moment that the next transaction reads.
     *
     * @param moment null for the newest state
     * @throws IllegalStateException within a transaction
     */
    void select(@Nullable Instant moment) throws IOException {
        requireNoTransaction();
        PageSource selected = moment == null
                ? database.moments().newest()
                : database.moments().at(moment);
        selected.pin().release(); // fails now rather than at the next query
        source = selected;
    }

    /**
     * Selects what the connection read when it was opened.
     *
     * @throws IllegalStateException within a transaction
     */
    void selectDefault() {
        if (source != database.pages()) {
            requireNoTransaction();
            source = database.pages();
        }
    }

    private void requireNoTransaction() {
        if (pinned != null) {
            throw new IllegalStateException(
                    "cannot change the time within a transaction; end it, and close all result sets, first");
        }
    }
}
