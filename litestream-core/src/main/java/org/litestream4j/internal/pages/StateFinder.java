package org.litestream4j.internal.pages;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.litestream4j.internal.pages.FileTable.Keep;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileChangedException;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestorePlan;
import org.litestream4j.restore.RestoreTarget;

/** Finds the files of states. Thread-safe. */
final class StateFinder {

    private final ReadOnlyReplica replica;
    private final FileTable table;
    private final Retries retries;
    private final AtomicLong versions = new AtomicLong();
    private final Listings listings;

    StateFinder(ReadOnlyReplica replica, FileTable table, Retries retries) {
        this.replica = replica;
        this.table = table;
        this.retries = retries;
        listings = new Listings(replica);
    }

    long nextVersion() {
        return versions.incrementAndGet();
    }

    String replica() {
        return replica.url();
    }

    /**
     * Returns the files of a state, in the order of their transactions.
     *
     * @throws RestoreException if the state is not on the replica
     */
    List<ReplicaFile> files(RestoreTarget target) throws IOException {
        return files(target, listings.fresh());
    }

    /**
     * Returns the files of a moment of the past as {@link #files(RestoreTarget)} does, without a listing if the replica was
     * listed shortly before.
     */
    List<ReplicaFile> pastFiles(RestoreTarget target) throws IOException {
        try {
            return files(target, listings.remembering(target));
        } catch (RestoreException e) {
            return files(target);
        }
    }

    private List<ReplicaFile> files(RestoreTarget target, ReplicaClient source) throws IOException {
        long deadline = retries.deadline();
        List<ReplicaFile> files = retries.until(deadline, replica.url(), () -> planned(target, source, deadline));
        if (files.get(files.size() - 1).header().commit() == 0) {
            throw new IOException(replica.url() + ": the database has no pages at TXID "
                    + files.get(files.size() - 1).header().maxTxid() + "; read it once it has");
        }
        return files;
    }

    private List<ReplicaFile> planned(RestoreTarget target, ReplicaClient source, long deadline) throws IOException {
        RestoreOptions options = RestoreOptions.builder().target(target).build();
        return Restore.plan(source, options, new Restore.PlanUser<List<ReplicaFile>>() {
            @Override
            public List<ReplicaFile> read(RestorePlan plan) throws IOException {
                return load(plan.files(), Keep.STORE, deadline);
            }

            @Override
            public LtxHeader newest(List<ReplicaFile> result) {
                return result.get(result.size() - 1).header();
            }
        });
    }

    /** Loads files, and once more if one is damaged: the error may have come up on the way. */
    private List<ReplicaFile> load(List<LtxFileInfo> files, Keep keep, long deadline) throws IOException {
        try {
            return table.load(files, keep, deadline);
        } catch (LtxFormatException e) {
            return table.load(files, keep, deadline);
        }
    }

    /** Returns new files that continue the newest state. */
    List<ReplicaFile> load(List<LtxFileInfo> files) throws IOException {
        long deadline = retries.deadline();
        return retries.until(deadline, replica.url(), () -> load(files, Keep.DO_NOT_STORE, deadline));
    }

    /**
     * Returns a state as it is found now, after some of its files vanished.
     *
     * @throws IOException if the state is gone, or is not certain to be the same
     */
    State again(State before, IOException cause) throws IOException {
        if (cause instanceof ReplicaFileChangedException) {
            before.files().forEach(table::forget);
        }
        List<ReplicaFile> files;
        try {
            files = files(RestoreTarget.txid(before.txid()));
        } catch (RestoreException e) {
            throw gone(before, e);
        }
        State again = State.of(before.version(), files);
        if (!again.isSameAs(before)) {
            throw gone(before, cause);
        }
        return again;
    }

    /**
     * Returns whether a file still has the content that was read of it, by its checksum. If it has not, its content is
     * forgotten.
     */
    boolean hasContentOf(ReplicaFile file) throws IOException {
        long deadline = retries.deadline();
        boolean same = retries.until(deadline, file.label(), () -> {
            long offset = file.info().size() - Long.BYTES;
            try (OpenedFile opened =
                    replica.openFile(file.info().level(), file.info().name(), offset, Long.BYTES)) {
                byte[] bytes = opened.content().readNBytes(Long.BYTES);
                return bytes.length == Long.BYTES
                        && ByteBuffer.wrap(bytes).getLong()
                                == file.index().trailer().fileChecksum();
            } catch (ReplicaFileChangedException e) {
                return false;
            }
        });
        if (!same) {
            table.forget(file);
        }
        return same;
    }

    /** Returns whether a file was not found to have other content since it was read. */
    boolean isKnown(ReplicaFile file) {
        return table.isKnown(file);
    }

    private IOException gone(State before, IOException cause) {
        return new IOException(
                replica.url() + ": the state of TXID " + before.txid() + " (" + before.timestamp()
                        + ") is no longer on the replica: " + cause.getMessage()
                        + "; read a newer state, or keep files longer on the replica",
                cause);
    }

    /** Returns the error of a damaged file, with what can be done. */
    IOException damaged(LtxFormatException e) {
        return new IOException(
                replica.url() + ": " + e.getMessage()
                        + "; read another state, or bring back that file from a copy of the replica",
                e);
    }

    Txid newest(List<ReplicaFile> files) {
        return files.get(files.size() - 1).header().maxTxid();
    }
}
