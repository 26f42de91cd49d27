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
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ResumingInputStream;

/**
 * Chooses and opens what is merged into a level: files that follow each other and have one page size, from local level-0 files
 * where they are here. Remembers which files are damaged. Not thread-safe.
 */
final class Inputs {

    /** In bytes; a file of the replica that is no larger is read at once, and costs no connection. */
    private static final int SMALL = 64 << 10;

    /** Each open input costs a buffer and an index. */
    private static final int MOST = 128;

    /** Each large one of the replica costs a connection. */
    private static final int MOST_LARGE = 32;

    /** So often found damaged, a file is not read again. */
    private static final int DAMAGED = 2;

    private final ReplicaClient client;
    private final ReplicaIndex index;
    private final LocalLevel0 local;
    private final StopSignal stop;
    private final boolean autoRecover;

    private final Set<LtxFileName> damagedLocal = new HashSet<>();
    /** By label: how often a file of the replica was found damaged. Once may be the way here. */
    private final Map<String, Integer> damaged = new HashMap<>();

    private Txid snapshotNeeded = Txid.NONE;

    Inputs(ReplicaClient client, ReplicaIndex index, LocalLevel0 local, StopSignal stop, boolean autoRecover) {
        this.client = client;
        this.index = index;
        this.local = local;
        this.stop = stop;
        this.autoRecover = autoRecover;
    }

    /**
     * Files that follow each other.
     *
     * @param bounded whether they cannot be followed by more: a gap or a damaged file comes next
     */
    record Batch(List<LtxFileInfo> files, boolean bounded) {}

    /**
     * Opened inputs, to be closed by the caller; perhaps fewer than were chosen.
     *
     * @param databaseChecksum after the last of them, if it is known
     */
    record Opened(List<LtxReader> readers, OptionalLong databaseChecksum, boolean bounded) {}

    /** A snapshot must hold this transaction for the files to be of use; {@link Txid#NONE} if none is needed. */
    Txid snapshotNeeded() {
        return snapshotNeeded;
    }

    /** Number of files that a level does not hold yet. */
    int waiting(int level) {
        LevelFiles below = index.level(level - 1);
        return below.count() - below.firstAfter(index.level(level).newest());
    }

    /**
     * Chooses what comes next for a level.
     *
     * @throws IOException if it is damaged, and no snapshot makes up for it yet
     */
    Batch choose(int level) throws IOException {
        LevelFiles below = index.level(level - 1);
        List<LtxFileInfo> files = new ArrayList<>();
        Txid end = index.level(level).newest();
        for (int i = below.firstAfter(end); i < below.count() && files.size() < MOST; i++) {
            LtxFileInfo file = below.info(i);
            if (!files.isEmpty() && !file.maxTxid().isAfter(end)) {
                continue; // inside the one before
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

    private void skipDamaged(LtxFileInfo file) throws IOException {
        if (index.snapshots().newest().isBefore(file.maxTxid())) {
            if (autoRecover) {
                snapshotNeeded = Txid.max(snapshotNeeded, file.maxTxid());
            }
            throw new LtxFormatException(
                    label(client, file),
                    0,
                    "content",
                    "damaged: compaction continues once a snapshot contains its transactions");
        }
    }

    /** Opens the files of a batch, as many as belong into one merge. */
    Opened open(Batch batch) throws IOException {
        List<LtxReader> readers = new ArrayList<>();
        OptionalLong databaseChecksum = OptionalLong.empty();
        boolean complete = false;
        try {
            int large = 0;
            for (LtxFileInfo file : batch.files()) {
                OpenedFile local = openLocal(file);
                boolean isRemote = local == null;
                if (isRemote && file.size() > SMALL && ++large > MOST_LARGE) {
                    complete = true;
                    return new Opened(readers, databaseChecksum, false);
                }
                OpenedFile input = isRemote ? openRemote(client, file, stop) : local;
                String label = isRemote ? label(client, file) : localLabel(file.name());
                LtxReader reader = LtxReader.open(input.content(), label, file.name());
                readers.add(reader);
                if (reader.header().pageSize() != readers.get(0).header().pageSize()) {
                    readers.remove(reader);
                    reader.close();
                    snapshotNeeded = Txid.max(snapshotNeeded, file.minTxid());
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

    /** Many inputs are open at the same time, and connections are few: a small file is in memory when this returns. */
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

    /** Remembers which input an error came from, so that the next attempt takes another way. */
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

    /** Forgets what was found of files that are in the level now. */
    void forget() {
        damagedLocal.clear();
    }

    static String label(ReplicaClient client, LtxFileInfo file) {
        return client.url() + " level " + file.level() + " " + file.name();
    }

    private static String localLabel(LtxFileName name) {
        return "local level 0 " + name;
    }

    /** One input is damaged, and it is remembered which: choose again. */
    static final class DamagedInputException extends IOException {
        private static final long serialVersionUID = 1L;

        DamagedInputException(LtxFormatException cause) {
            super(cause.getMessage(), cause);
        }
    }
}
