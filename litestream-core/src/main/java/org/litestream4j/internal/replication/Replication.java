package org.litestream4j.internal.replication;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.internal.capture.Staging;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.TeeInputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Uploads the local level-0 files of one database to its replica: first {@link #verify}, then {@link #uploadNext} as
 * long as there is a file. Confined to the database's upload lane; {@link #replicated} is thread-safe. After an
 * {@link IOException}, the same call may be repeated.
 */
public final class Replication {

    private static final Logger log = LoggerFactory.getLogger(Replication.class);

    private static final LtxFileName FIRST_IMAGE = LtxFileName.of(new Txid(1));

    private static final int COPY_SIZE = 64 << 10;

    private final Capture capture;
    private final Staging staging;
    private final ReplicaClient client;
    private final Clock clock;
    private final Duration localRetention;
    private final Ownership ownership;
    private final Consumer<LtxFileInfo> uploaded;

    private volatile Txid replicated = Txid.NONE;
    private volatile @Nullable Instant pendingSince;
    private Txid oldestLocal = Txid.NONE;
    private @Nullable Attempt attempted;

    /** An upload that was about to be published and whose outcome may be unknown. */
    private record Attempt(LtxFileName name, long fileChecksum) {}

    /**
     * Starts without any knowledge of the replica.
     *
     * @param localRetention time for which replicated files are kept locally
     * @param uploaded receives each published file
     */
    public Replication(
            Capture capture,
            ReplicaClient client,
            Clock clock,
            Duration localRetention,
            Ownership ownership,
            Consumer<LtxFileInfo> uploaded) {
        this.capture = capture;
        this.staging = capture.staging();
        this.client = client;
        this.clock = clock;
        this.localRetention = localRetention;
        this.ownership = ownership;
        this.uploaded = uploaded;
    }

    /** Returns the newest transaction on the replica, as known to this process. Thread-safe. */
    public Txid replicated() {
        return replicated;
    }

    /** Returns whether there is a file to upload. Thread-safe. */
    public boolean isPending() {
        return replicated.isBefore(capture.captured());
    }

    /**
     * Returns the time at which the oldest unreplicated transaction was captured; null if there is none. Thread-safe.
     */
    public @Nullable Instant pendingSince() {
        return isPending() ? pendingSince : null;
    }

    /**
     * Lists the replica and determines whether the local files continue it.
     *
     * @throws LocalFileException if the local files continue the replica, but one that is not uploaded yet is
     *     missing or damaged
     */
    public ReplicaComparison verify() throws IOException {
        client.prepare();
        Ownership.Moment begun = ownership.now();
        Newest newest = newestOnReplica();
        boolean broken = newest.reached().isBefore(newest.txid());
        ownership.restart(newest.txid(), broken, begun);
        if (!broken) {
            return compare(newest);
        }
        String problem = "the replica lost files: no file continues transaction " + newest.reached();
        try {
            return compare(newest).unreachable(problem);
        } catch (LocalFileException e) {
            throw e.unreachable(problem);
        }
    }

    private ReplicaComparison compare(Newest newest) throws IOException {
        Txid captured = capture.captured();
        if (newest.txid().isAfter(captured)) {
            if (captured.isNone()) {
                return ReplicaComparison.unknown(newest.txid(), "there is no local state");
            }
            String reason = "the replica is ahead of it";
            return isOnReplica(captured) || isFormer(newest)
                    ? ReplicaComparison.diverged(newest.txid(), reason)
                    : ReplicaComparison.unknown(newest.txid(), reason);
        }
        if (newest.txid().isNone()) {
            warnOfOtherBackup();
            if (!captured.isNone() && damagedPending(Txid.NONE, captured) != null) {
                return ReplicaComparison.diverged(Txid.NONE, "the replica is empty");
            }
        } else if (!ours(newest)) {
            String reason = "the replica's newest file differs from the local one";
            return isFormer(newest)
                    ? ReplicaComparison.diverged(newest.txid(), reason)
                    : ReplicaComparison.unknown(newest.txid(), reason);
        } else {
            LocalFileException damaged = damagedPending(newest.txid(), captured);
            if (damaged != null) {
                throw damaged;
            }
        }
        return ReplicaComparison.continues(newest.txid());
    }

    /**
     * Warns of a backup in another format. Nothing is lost, because this database exists, but a restore does not find
     * that backup.
     */
    private void warnOfOtherBackup() {
        try {
            client.otherBackup()
                    .ifPresent(other -> log.warn(
                            "starting a new replica next to another backup: replica={} problem={} remedy={}",
                            client.url(),
                            other.problem(),
                            other.remedy()));
        } catch (IOException e) {
            log.debug("cannot search for other backups: replica={}", client.url(), e);
        }
    }

    /** Sets the position: all transactions up to the given one are on the replica, or belong to another history. */
    public void startAfter(Txid txid) throws IOException {
        List<LtxFileName> local = staging.list();
        oldestLocal = local.isEmpty() ? txid.next() : local.get(0).min();
        replicated = txid;
        notePending();
    }

    /**
     * Uploads the next local file, if there is one.
     *
     * @return the file that is now on the replica; null if there was none to upload
     * @throws org.litestream4j.replica.ReplicaConflictException if the replica has a different file of that name
     * @throws LocalFileException if the local file permanently cannot be uploaded
     */
    public @Nullable LtxFileInfo uploadNext() throws IOException {
        if (!isPending()) {
            return null;
        }
        LtxFileName name = LtxFileName.of(replicated.next());
        ownership.ensure();
        ownership.claim(levelOf(name), name);
        LtxFileInfo published;
        try {
            published = upload(name);
        } catch (LocalFileException e) {
            Ownership.Moment begun = ownership.now();
            published = publishedWithoutResponse(name).orElseThrow(() -> e);
            ownership.recordWritten(name.max(), begun);
            ownership.published(published, remoteChecksum(client, published));
        }
        replicated = name.max();
        uploaded.accept(published);
        notePending();
        expireLocal();
        return published;
    }

    /** Records that uploaded files are no longer on the replica; {@link #verify} must follow. */
    public void lost() {
        replicated = Txid.NONE;
    }

    /**
     * Checks, if a check is due, whether the last uploaded file still exists.
     *
     * @param last whether no check follows, so that one is due if a file was uploaded since the last
     * @return nanoseconds until the next check is due; negative if there is nothing to check
     */
    public long checkPresence(boolean last) throws IOException {
        long due = ownership.nanosUntilCheck();
        if (due == 0 || (last && due > 0)) {
            ownership.ensureNewest();
        }
        return ownership.nanosUntilCheck();
    }

    /** Returns the level of a file. A full image is uploaded once; the first one is a snapshot. */
    private static int levelOf(LtxFileName name) {
        return name.equals(FIRST_IMAGE) ? ReplicaClient.SNAPSHOT_LEVEL : 0;
    }

    /** Uploads a file while verifying its content as LTX. A damaged file is not published. */
    private LtxFileInfo upload(LtxFileName name) throws IOException {
        String source = staging.path(name).toString();
        Instant timestamp;
        OptionalLong databaseChecksum;
        InputStream file;
        long size;
        try {
            size = Files.size(staging.path(name));
            timestamp = staging.timestamp(name);
            databaseChecksum = staging.databaseChecksum(name);
            file = Files.newInputStream(staging.path(name));
        } catch (NoSuchFileException e) {
            throw new LocalFileException(source, replicated, e);
        }
        pendingSince = timestamp;
        try (InputStream in = new BufferedInputStream(file, COPY_SIZE);
                ReplicaUpload upload = client.write(levelOf(name), name, timestamp, databaseChecksum);
                LtxReader reader = LtxReader.open(
                        new TeeInputStream(in, upload, new UploadProgress(client.url(), name, size)), source, name)) {
            while (reader.next()) {
                // reading the whole file is the check
            }
            ownership.ensureStill(); // the proof may have expired during a slow upload
            Ownership.Moment begun = ownership.now();
            attempted = new Attempt(name, reader.trailer().fileChecksum());
            LtxFileInfo published = upload.publish();
            ownership.recordWritten(name.max(), begun);
            ownership.published(published, reader.trailer().fileChecksum());
            return published;
        } catch (LtxFormatException e) {
            throw new LocalFileException(source, replicated, e);
        }
    }

    /**
     * Returns a file that is lost locally but exists on the replica, because only the response of its upload was lost.
     */
    private Optional<LtxFileInfo> publishedWithoutResponse(LtxFileName name) throws IOException {
        Attempt last = attempted;
        if (last == null || !last.name().equals(name)) {
            return Optional.empty();
        }
        LtxFileInfo[] found = new LtxFileInfo[1];
        client.list(levelOf(name), name.min(), file -> {
            found[0] = file.name().equals(name) ? file : null;
            return false;
        });
        if (found[0] == null || remoteChecksum(client, found[0]) != last.fileChecksum()) {
            return Optional.empty();
        }
        log.info("local file is lost, but already on the replica: replica={} file={}", client.url(), name);
        return Optional.of(found[0]);
    }

    private void notePending() {
        pendingSince = isPending() ? timestamp(replicated.next()) : null;
    }

    private @Nullable Instant timestamp(Txid txid) {
        try {
            return staging.timestamp(LtxFileName.of(txid));
        } catch (IOException e) {
            return clock.instant(); // the upload reports the error
        }
    }

    /**
     * Deletes replicated files past their retention. The newest file is kept: at the next start, it proves that the
     * replica belongs to this database.
     */
    private void expireLocal() throws IOException {
        Instant before = clock.instant().minus(localRetention);
        while (oldestLocal.isBefore(replicated)) {
            LtxFileName name = LtxFileName.of(oldestLocal);
            try {
                if (!staging.timestamp(name).isBefore(before)) {
                    return;
                }
            } catch (NoSuchFileException e) {
                // already deleted
            }
            staging.delete(name);
            oldestLocal = oldestLocal.next();
        }
    }

    /**
     * @param reached newest transaction that a restore reaches
     * @param file file of this transaction alone, in the level where uploads of this program have their newest
     *     file; null if there is none
     */
    private record Newest(Txid txid, Txid reached, @Nullable LtxFileInfo file) {}

    private Newest newestOnReplica() throws IOException {
        Txid[] newest = {Txid.NONE};
        LtxFileInfo[] last = new LtxFileInfo[1];
        List<LtxFileInfo> files = new ArrayList<>();
        client.listAll(ReplicaClient.FROM_THE_FIRST, file -> {
            files.add(file);
            newest[0] = Txid.max(newest[0], file.maxTxid());
            if (file.level() == 0 || (last[0] == null && file.name().equals(FIRST_IMAGE))) {
                last[0] = file;
            }
            return true;
        });
        return new Newest(newest[0], Chain.end(files), last[0]);
    }

    private boolean ours(Newest newest) throws IOException {
        LtxFileInfo file = newest.file();
        return file != null && file.name().equals(LtxFileName.of(newest.txid())) && ours(file);
    }

    /** Returns whether the newest file is one that this process wrote before the replica was lost. */
    private boolean isFormer(Newest newest) throws IOException {
        LtxFileInfo file = newest.file();
        return file != null
                && file.maxTxid().equals(newest.txid())
                && ownership.isFormer(file, remoteChecksum(client, file));
    }

    /** Returns whether a file with one transaction was written by this database. */
    private boolean ours(LtxFileInfo file) throws IOException {
        OptionalLong local = capture.fileChecksum(file.maxTxid());
        return local.isPresent() && local.getAsLong() == remoteChecksum(client, file);
    }

    /**
     * Returns whether the newest file of the replica can be read to its end. Otherwise, later states can be restored
     * only from a later snapshot.
     */
    public boolean isReadable(Txid newest) throws IOException {
        LtxFileInfo[] found = new LtxFileInfo[1];
        client.list(0, newest, file -> {
            found[0] = file.maxTxid().equals(newest) ? file : null;
            return false;
        });
        LtxFileInfo file = found[0];
        if (file == null) {
            return true; // merged
        }
        try (InputStream in = new BufferedInputStream(client.open(0, file.name(), 0, ReplicaClient.TO_END), COPY_SIZE);
                LtxReader reader = LtxReader.open(in, client.url() + " " + file.name(), file.name())) {
            while (reader.next()) {
                // reading to the end is the check
            }
            return true;
        } catch (ReplicaFileNotFoundException e) {
            return true;
        } catch (LtxFormatException e) {
            log.warn("the newest file of the replica is damaged: replica={} problem={}", client.url(), e.getMessage());
            return false;
        }
    }

    /** Returns whether a transaction was captured by this process or the one before it. */
    public boolean isRecorded(Txid txid) throws IOException {
        return capture.fileChecksum(txid).isPresent();
    }

    /** Returns whether the replica has the level-0 file of a transaction as it was captured locally. */
    private boolean isOnReplica(Txid captured) throws IOException {
        LtxFileInfo[] found = new LtxFileInfo[1];
        client.list(0, captured, file -> {
            found[0] = file.name().equals(LtxFileName.of(captured)) ? file : null;
            return false;
        });
        return found[0] != null && ours(found[0]);
    }

    /**
     * Returns the checksum at the end of a file on the replica, reading 8 bytes; 0, which no file has, if the file is
     * shorter.
     */
    public static long remoteChecksum(ReplicaClient client, LtxFileInfo file) throws IOException {
        long offset = Math.max(0, file.size() - Long.BYTES);
        try (InputStream in = client.open(file.level(), file.name(), offset, Long.BYTES)) {
            byte[] end = in.readNBytes(Long.BYTES);
            return end.length < Long.BYTES ? 0 : ByteBuffer.wrap(end).getLong();
        }
    }

    private @Nullable LocalFileException damagedPending(Txid after, Txid last) throws IOException {
        for (Txid txid = after; txid.isBefore(last); ) {
            txid = txid.next();
            LtxFileName name = LtxFileName.of(txid);
            String source = staging.path(name).toString();
            try (InputStream in = new BufferedInputStream(Files.newInputStream(staging.path(name)), COPY_SIZE);
                    LtxReader reader = LtxReader.open(in, source, name)) {
                while (reader.next()) {
                    // reading the whole file is the check
                }
            } catch (NoSuchFileException | LtxFormatException e) {
                log.warn("local file is missing or damaged: path={} problem={}", source, e.toString());
                return new LocalFileException(source, after, e);
            }
        }
        return null;
    }
}
