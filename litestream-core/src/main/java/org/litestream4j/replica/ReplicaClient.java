package org.litestream4j.replica;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;

/**
 * Client of one replica: the LTX files of one database in a store. The listing is the only metadata: listed files are
 * complete, and files that are not listed do not exist.
 *
 * <p>Thread-safe: several threads may call concurrently. Each {@link InputStream} and {@link ReplicaUpload} belongs to
 * one thread at a time. Calls block. A client starts no threads that outlive {@link #close}. It retries for a few
 * seconds at most, and does not retry {@link #openFile}, which {@link ResumingInputStream} does; longer outages are
 * handled by the caller.
 *
 * <p>In addition to the errors documented for each method: {@link ReplicaAccessException} if the store denies access
 * (credentials, permissions, a missing bucket), which persists until the operator acts; any other {@link IOException}
 * may be transient. Messages and URLs never contain secrets.
 */
public interface ReplicaClient extends Closeable {

    /** Level of the snapshots. */
    int SNAPSHOT_LEVEL = 9;

    /** Start of {@link #listAll} that includes every file of every level. */
    List<Txid> FROM_THE_FIRST = Collections.nCopies(SNAPSHOT_LEVEL + 1, Txid.NONE);

    /** Length of {@link #open} that reads to the end of the file. */
    long TO_END = -1;

    /** Returns the address of the replica, without secrets, for messages and status. */
    String url();

    /**
     * Checks that the replica can be used, and creates what is missing if the backend may do so, such as a folder.
     * Cheap; called once before the first write.
     *
     * @throws ReplicaAccessException if the replica cannot be used; names the cause and the remedy
     */
    void prepare() throws IOException;

    /**
     * Lists the files of one level whose first transaction is not before {@code from}, ordered by
     * {@link LtxFileName#compareTo}. Files with other names are ignored. A level without files, or a replica that does
     * not exist yet, yields an empty listing. A file that appears or disappears during the listing may or may not be
     * included; all other files are. Of files that appear in the order of their names, the first ones are included, or
     * none, so that the listing has no gap that the level does not have.
     *
     * @param visitor called on this thread; returns false to end the listing early
     */
    void list(int level, Txid from, Visitor visitor) throws IOException;

    /**
     * Lists the files of all levels, starting with level 0, each level as {@link #list} does. A backend overrides this
     * method if one request can list several levels.
     *
     * @param from first transaction by level; its size is {@link #SNAPSHOT_LEVEL} + 1
     * @param visitor called on this thread; returns false to end the whole listing early
     */
    default void listAll(List<Txid> from, Visitor visitor) throws IOException {
        boolean[] isWanted = {true};
        for (int level = 0; level <= SNAPSHOT_LEVEL && isWanted[0]; level++) {
            list(level, from.get(level), file -> {
                isWanted[0] = visitor.visit(file);
                return isWanted[0];
            });
        }
    }

    /**
     * Opens a file for reading, together with the metadata that the store keeps with it. Needs no additional request, and
     * does not retry.
     *
     * @param offset offset of the first byte; at most the file's size
     * @param length number of bytes, or {@link #TO_END}; a range beyond the end of the file is truncated
     * @return a stream, which the caller closes, and which throws an {@link IOException} instead of ending early;
     *     metadata that the store does not keep is empty
     * @throws ReplicaFileNotFoundException if the file does not exist or no longer exists
     * @throws ReplicaFileChangedException if the offset is beyond the end, as after the file was replaced by a shorter one;
     *     a store that cannot tell returns an empty stream without a version
     */
    OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException;

    /**
     * Opens a file for reading as {@link #openFile} does, without its metadata. Retries and resumes as {@link
     * ResumingInputStream} does.
     */
    default InputStream open(int level, LtxFileName name, long offset, long length) throws IOException {
        return ResumingInputStream.open(
                (from, count) -> openFile(level, name, from, count), level + "/" + name, offset, length);
    }

    /** Returns the timestamp of a listed file's last transaction. Sends a request only if the listing did not contain it. */
    default Instant timestamp(LtxFileInfo file) throws IOException {
        if (!file.exact()) {
            throw new IllegalStateException("a client that lists inexact timestamps must be able to ask for them");
        }
        return file.timestamp();
    }

    /**
     * Starts the upload of a file. Nothing is visible before {@link ReplicaUpload#publish}.
     *
     * @param timestamp time of the file's last transaction, stored with the file
     * @param databaseChecksum checksum of the database after the file's last transaction, stored with the file if
     *     the backend supports it; empty if unknown
     */
    ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum)
            throws IOException;

    /** Starts the upload of a file without a database checksum. */
    default ReplicaUpload write(int level, LtxFileName name, Instant timestamp) throws IOException {
        return write(level, name, timestamp, OptionalLong.empty());
    }

    /**
     * Deletes files. Files that do not exist count as deleted.
     *
     * @throws ReplicaDeleteException if files could not be deleted; names these files. All others were deleted
     */
    void delete(int level, Collection<LtxFileName> names) throws IOException;

    /**
     * Looks for a backup in another format at this address. Called only for a replica without files, to prevent a start
     * with an empty database beside a backup.
     */
    default Optional<OtherBackup> otherBackup() throws IOException {
        return Optional.empty();
    }

    /**
     * Returns an identifier of the physical store behind the address, for example of a folder, which differs after a
     * file system was unmounted. A different value means that the store was replaced. Sends no request; empty if the
     * client would need one.
     */
    default String place() throws IOException {
        return "";
    }

    /** Returns the marks of the replica; empty if the backend cannot store marks. Sends no request. */
    default Optional<MarkStore> marks() {
        return Optional.empty();
    }

    /**
     * Returns the time after the upload of a file for which the store refuses to delete it, as with S3 Object Lock; zero
     * if there is none. Retention does not try to delete younger files.
     */
    default Duration lockedFor() {
        return Duration.ZERO;
    }

    /** Releases all resources of the client. Idempotent. Open streams and uploads fail afterwards. */
    @Override
    void close() throws IOException;

    /** Receives a listing. */
    @FunctionalInterface
    interface Visitor {
        /** Returns whether to continue the listing. */
        boolean visit(LtxFileInfo file) throws IOException;
    }
}
