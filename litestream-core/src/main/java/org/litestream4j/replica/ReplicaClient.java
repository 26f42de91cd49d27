package org.litestream4j.replica;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;

/**
 * One replica: the LTX files of one database in a store. The listing <em>is</em> the metadata: what is listed is whole,
 * what is not listed does not exist.
 *
 * <p>Thread-safe: several threads may call at once; each {@link InputStream} and {@link ReplicaUpload} belongs to one
 * thread at a time. Calls block; a client neither starts threads that outlive {@link #close} nor retries for longer
 * than a few seconds: waiting out an outage is the caller's part.
 *
 * <p>Errors, beside what each method names: {@link ReplicaAccessException} when the store refuses (credentials, rights,
 * missing bucket) and a repetition will not help until somebody changes something; any other {@link IOException} may
 * pass. No message or URL ever carries a secret.
 */
public interface ReplicaClient extends Closeable {

    /** Level of the snapshots. */
    int SNAPSHOT_LEVEL = 9;

    /** Every file of every level, as the beginning of {@link #listAll}. */
    List<Txid> FROM_THE_FIRST = Collections.nCopies(SNAPSHOT_LEVEL + 1, Txid.NONE);

    /** To the end of the file, as the length of {@link #open}. */
    long TO_END = -1;

    /** The replica's address without secrets, for messages and status. */
    String url();

    /**
     * Checks that the replica can be used and creates what may be created (a folder); cheap, called once before the
     * first write.
     *
     * @throws ReplicaAccessException naming what is wrong and what to change
     */
    void prepare() throws IOException;

    /**
     * Lists the files of one level whose first transaction is not before {@code from}, ordered by
     * {@link LtxFileName#compareTo}. Names of other kinds are ignored; a level without files, or a replica that does not
     * exist yet, lists nothing. A file that appears or disappears meanwhile may or may not be listed; all others are.
     *
     * @param visitor called on this thread; answers false to end the listing early
     */
    void list(int level, Txid from, Visitor visitor) throws IOException;

    /**
     * Lists the files of all levels, from level 0 upwards, each level as {@link #list} does. A backend overrides this
     * where one question to the store answers for several levels.
     *
     * @param from by level; its size is {@link #SNAPSHOT_LEVEL} + 1
     * @param visitor called on this thread; answers false to end the whole listing early
     */
    default void listAll(List<Txid> from, Visitor visitor) throws IOException {
        boolean[] goOn = {true};
        for (int level = 0; level <= SNAPSHOT_LEVEL && goOn[0]; level++) {
            list(level, from.get(level), file -> {
                goOn[0] = visitor.visit(file);
                return goOn[0];
            });
        }
    }

    /**
     * Opens a file for reading, with what the store keeps beside it; that costs no further request.
     *
     * @param offset first byte; at most the file's size
     * @param length bytes, or {@link #TO_END}; a range beyond the end is cut there
     * @return a stream that the caller closes, and that throws an {@link IOException} rather than end early; a client that keeps
     *     nothing beside a file leaves the rest empty
     * @throws ReplicaFileNotFoundException if the file does not exist (any more)
     */
    OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException;

    /** Opens a file for reading, as {@link #openFile}, without what is kept beside it. */
    default InputStream open(int level, LtxFileName name, long offset, long length) throws IOException {
        return openFile(level, name, offset, length).content();
    }

    /** The timestamp of a listed file's last transaction; asks the store only where the listing could not tell. */
    default Instant timestamp(LtxFileInfo file) throws IOException {
        if (!file.exact()) {
            throw new IllegalStateException("a client that lists inexact timestamps must be able to ask for them");
        }
        return file.timestamp();
    }

    /**
     * Begins to write a file. Nothing is visible before {@link ReplicaUpload#publish}.
     *
     * @param timestamp of the file's last transaction, kept with the file
     * @param databaseChecksum of the database after the file's last transaction, kept beside the file where the client can; empty if
     *     it is not known
     */
    ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum)
            throws IOException;

    /** Begins to write a file, as the other method, without a checksum of the database. */
    default ReplicaUpload write(int level, LtxFileName name, Instant timestamp) throws IOException {
        return write(level, name, timestamp, OptionalLong.empty());
    }

    /**
     * Deletes files. Names that do not exist (any more) count as deleted.
     *
     * @throws ReplicaDeleteException naming the files that remain, after all others were deleted
     */
    void delete(int level, Collection<LtxFileName> names) throws IOException;

    /**
     * Looks for a backup at this address that is no replica in this client's layout. Asked only of a replica without files: nobody
     * should begin with an empty database beside a backup.
     */
    default Optional<OtherBackup> otherBackup() throws IOException {
        return Optional.empty();
    }

    /**
     * Tells one place from another at the same address, such as a folder from what is there once it was unmounted: another answer
     * means that the store itself was replaced. Costs no request; empty where a client cannot tell without one.
     */
    default String place() throws IOException {
        return "";
    }

    /** Releases what the client holds; idempotent. Streams and uploads still open fail afterwards. */
    @Override
    void close() throws IOException;

    /** Receives a listing. */
    @FunctionalInterface
    interface Visitor {
        /** Whether to go on. */
        boolean visit(LtxFileInfo file) throws IOException;
    }
}
