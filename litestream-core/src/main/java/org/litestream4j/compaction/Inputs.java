package org.litestream4j.compaction;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ResumingInputStream;
import org.litestream4j.replica.StopSignal;

/**
 * Chooses and opens the files to merge into a level: consecutive files of one page size, read from local level-0 files
 * where these exist. Records which files are damaged. Not thread-safe.
 */
final class Inputs {

    /** Size in bytes up to which a file of the replica is read into memory and takes no connection. */
    private static final int SMALL = 64 << 10;

    /** Maximum number of open inputs; each takes a buffer and an index. */
    private static final int MAX_INPUTS = 128;

    /** Maximum number of open large files of the replica; each takes a connection. */
    private static final int MAX_LARGE_INPUTS = 32;

    /** Maximum number of merged level-0 files whose headers are read; each may take a request. */
    private static final int MOST_CHECKED = 1024;

    /** Number of failed reads after which a damaged file is not read again. */
    private static final int DAMAGED = 2;

    private final ReplicaClient client;
    private final ReplicaIndex index;
    private final LocalLevel0 local;
    private final StopSignal stop;
    private final boolean autoRecover;

    private final Set<LtxFileName> damagedLocal = new HashSet<>();
    /** Number of failed reads of each file of the replica, by label. A single failure may be a transmission error. */
    private final Map<String, Integer> damaged = new HashMap<>();

    private final Level0Chain chain;

    /** Whether the level-0 files that are already merged are known to continue each other. */
    private boolean mergedChecked;

    private Txid snapshotNeeded = Txid.NONE;

    Inputs(ReplicaClient client, ReplicaIndex index, LocalLevel0 local, StopSignal stop, boolean autoRecover) {
        this.client = client;
        this.index = index;
        this.local = local;
        this.stop = stop;
        this.autoRecover = autoRecover;
        this.chain = new Level0Chain(
                client, index, (name, size) -> damagedLocal.contains(name) ? null : local.open(name, size), stop);
    }

    /**
     * Consecutive files.
     *
     * @param bounded whether no more files can follow, because of a gap or a damaged file
     */
    record Batch(List<LtxFileInfo> files, boolean bounded) {}

    /**
     * Opened inputs, which the caller closes; possibly fewer than were chosen.
     *
     * @param databaseChecksum checksum of the database after the last input, if known
     */
    record Opened(List<LtxReader> readers, OptionalLong databaseChecksum, boolean bounded) {}

    /**
     * Returns the transaction that a snapshot must contain for the files to be usable; {@link Txid#NONE} if no snapshot
     * is needed.
     */
    Txid snapshotNeeded() {
        return snapshotNeeded;
    }

    /** Returns the number of files whose transactions a level does not contain yet. */
    int waiting(int level) {
        LevelFiles below = index.level(level - 1);
        return below.count() - below.firstAfter(index.level(level).newest());
    }

    /**
     * Chooses the next files for a level.
     *
     * @throws IOException if the next file is damaged, and no snapshot replaces it yet
     */
    Batch choose(int level) throws IOException {
        LevelFiles below = index.level(level - 1);
        List<LtxFileInfo> files = new ArrayList<>();
        Txid end = index.level(level).newest();
        for (int i = below.firstAfter(end); i < below.count() && files.size() < MAX_INPUTS; i++) {
            LtxFileInfo file = below.info(i);
            if (!files.isEmpty() && !file.maxTxid().isAfter(end)) {
                continue; // contained in the previous file
            }
            if (damaged.getOrDefault(label(client, file), 0) >= DAMAGED) {
                if (!files.isEmpty()) {
                    return new Batch(files, true);
                }
                skipDamaged(file);
            } else if (files.isEmpty() || file.name().continues(end)) {
                files.add(file);
            } else {
                return new Batch(files, true);
            }
            end = file.maxTxid();
        }
        return new Batch(files, false);
    }

    /** Forgets that merged files were checked, because another program may have written to the replica. */
    void recheckMerged() {
        mergedChecked = false;
    }

    /**
     * Forgets everything known of files, because files of a new history may have their names. Damage that still exists
     * is found again.
     */
    void forgetAll() {
        damaged.clear();
        damagedLocal.clear();
        snapshotNeeded = Txid.NONE;
        chain.forget();
        mergedChecked = false;
    }

    /**
     * Checks, once for each listing, the level-0 files that were merged before this process started, or by another
     * program, and that no snapshot contains yet. Merged files with a broken chain are treated as damaged: they are not
     * merged further, and a snapshot follows.
     */
    void checkMerged() throws IOException {
        if (mergedChecked) {
            return;
        }
        LevelFiles level0 = index.level(0);
        int end = level0.firstAfter(index.level(1).newest());
        int start = Math.max(level0.firstAfter(index.snapshots().newest()), end - MOST_CHECKED);
        for (int i = start; i < end; i++) {
            stop.check();
            LtxFileInfo file = level0.info(i);
            LtxHeader header = chain.header(file);
            if (header != null && !chain.continues(file, header)) {
                leaveOutMerged(file);
            }
        }
        mergedChecked = true;
    }

    private void leaveOutMerged(LtxFileInfo broken) {
        for (int level = 1; level < ReplicaClient.SNAPSHOT_LEVEL; level++) {
            LevelFiles files = index.level(level);
            int at = files.firstAfter(broken.minTxid().previous());
            if (at < files.count() && !files.min(at).isAfter(broken.minTxid())) {
                damaged.put(label(client, files.info(at)), DAMAGED);
            }
        }
        if (autoRecover) {
            snapshotNeeded = Txid.max(snapshotNeeded, broken.maxTxid());
        }
    }

    private void skipDamaged(LtxFileInfo file) throws IOException {
        if (index.snapshots().newest().isBefore(file.maxTxid())) {
            if (autoRecover) {
                snapshotNeeded = Txid.max(snapshotNeeded, file.maxTxid());
            }
            throw unusable(file);
        }
    }

    private LtxFormatException unusable(LtxFileInfo file) {
        return new LtxFormatException(
                label(client, file),
                0,
                "content",
                "damaged, or written by another program: compaction continues once a snapshot contains its transactions");
    }

    /** Opens the files of a batch, up to the limits of one merge. */
    Opened open(Batch batch) throws IOException {
        List<LtxReader> readers = new ArrayList<>();
        OptionalLong databaseChecksum = OptionalLong.empty();
        boolean complete = false;
        try {
            int large = 0;
            for (LtxFileInfo file : batch.files()) {
                OpenedFile local = openLocal(file);
                if (local == null && file.size() > SMALL && ++large > MAX_LARGE_INPUTS) {
                    complete = true;
                    return new Opened(readers, databaseChecksum, false);
                }
                OpenedFile input = local == null ? openRemote(client, file, stop) : local;
                String label = local == null ? label(client, file) : localLabel(file.name());
                LtxReader reader = LtxReader.open(input.content(), label, file.name());
                readers.add(reader);
                if (reader.header().pageSize() != readers.get(0).header().pageSize()) {
                    readers.remove(reader);
                    reader.close();
                    snapshotNeeded = Txid.max(snapshotNeeded, file.minTxid());
                    complete = true;
                    return new Opened(readers, databaseChecksum, true);
                }
                if (file.level() == 0 && !chain.continues(file, reader.header())) {
                    readers.remove(reader);
                    reader.close();
                    damaged.put(label(client, file), DAMAGED);
                    if (readers.isEmpty()) {
                        throw new DamagedInputException(unusable(file)); // choose again, without it
                    }
                    complete = true;
                    return new Opened(readers, databaseChecksum, true);
                }
                databaseChecksum = input.databaseChecksum();
            }
            complete = true;
            return new Opened(readers, databaseChecksum, batch.bounded());
        } catch (LtxFormatException e) {
            throw noteDamage(batch, e);
        } finally {
            if (!complete) {
                closeAll(readers);
            }
        }
    }

    /**
     * Opens a file of the replica. Many inputs are open at the same time, and connections are limited: a small file is
     * completely in memory when this method returns.
     */
    static OpenedFile openRemote(ReplicaClient client, LtxFileInfo file, StopSignal stop) throws IOException {
        ResumingInputStream input = new ResumingInputStream(client, file, label(client, file), 0, file.size(), stop);
        if (file.size() > SMALL) {
            input.connect();
            return new OpenedFile(input, input.databaseChecksum());
        }
        try (input) {
            byte[] content = input.readNBytes(SMALL);
            return new OpenedFile(new ByteArrayInputStream(content), input.databaseChecksum());
        }
    }

    private static void closeAll(List<LtxReader> readers) throws IOException {
        for (LtxReader reader : readers) {
            reader.close();
        }
    }

    private @Nullable OpenedFile openLocal(LtxFileInfo file) throws IOException {
        return file.level() == 0 && !damagedLocal.contains(file.name()) ? local.open(file.name(), file.size()) : null;
    }

    /** Records the input that caused an error, so that the next attempt avoids it. */
    DamagedInputException noteDamage(Batch batch, LtxFormatException e) throws LtxFormatException {
        for (LtxFileInfo file : batch.files()) {
            if (e.source().equals(localLabel(file.name()))) {
                damagedLocal.add(file.name());
                return new DamagedInputException(e);
            }
            if (e.source().equals(label(client, file))) {
                damaged.merge(e.source(), 1, Integer::sum);
                return new DamagedInputException(e);
            }
        }
        throw e;
    }

    /** Discards the records of damage for files whose transactions are in the level now. */
    void forget() {
        damagedLocal.clear();
    }

    static String label(ReplicaClient client, LtxFileInfo file) {
        return client.url() + " level " + file.level() + " " + file.name();
    }

    private static String localLabel(LtxFileName name) {
        return "local level 0 " + name;
    }

    /** Thrown if an input is damaged. The input is recorded; the caller chooses again. */
    static final class DamagedInputException extends IOException {
        private static final long serialVersionUID = 1L;

        DamagedInputException(LtxFormatException cause) {
            super(cause.getMessage(), cause);
        }
    }
}
