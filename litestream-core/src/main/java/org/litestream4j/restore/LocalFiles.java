package org.litestream4j.restore;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.LtxTrailer;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.restore.RestoreException.Reason;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds commits that were captured but not uploaded before the database was lost. */
final class LocalFiles {

    private static final Logger log = LoggerFactory.getLogger(LocalFiles.class);

    /** Name of the first image: a snapshot on the replica, a level-0 file in the local state. */
    private static final LtxFileName FIRST_IMAGE = LtxFileName.of(new Txid(1));

    private LocalFiles() {}

    /**
     * Finds the valid local level-0 files that continue the replica's newest state. Local files continue that state
     * only if the local copy of the replica's newest level-0 file is the same file. Otherwise, another program has
     * written to the replica since, and the local files belong to a different history.
     *
     * @param newest newest TXID of the replica; {@link Txid#NONE} if the replica is empty
     * @param listed all files of the replica
     * @throws RestoreException if a local file is missing or damaged, so that captured commits after it would be
     *     lost
     */
    static List<LtxFileInfo> after(Txid newest, List<LtxFileInfo> listed, ReplicaClient replica, ReplicaClient local)
            throws IOException {
        List<LtxFileInfo> pending = new ArrayList<>();
        List<LtxFileInfo> beyondHole = new ArrayList<>();
        local.list(0, Txid.NONE, file -> {
            Txid position = end(newest, pending);
            if (file.name().continues(position)) {
                pending.add(file);
            } else if (file.minTxid().isAfter(position)) {
                beyondHole.add(file);
            }
            return true;
        });
        if (newest.isNone() && pending.isEmpty()) {
            if (!beyondHole.isEmpty()) {
                log.warn(
                        "{}: local files from {} on are ignored: the replica is empty, and no local file begins at"
                                + " TXID 1",
                        replica.url(),
                        beyondHole.get(0).name());
            }
            return List.of();
        }
        boolean any = !pending.isEmpty() || !beyondHole.isEmpty();
        if (!any || (!newest.isNone() && !isSameLineage(newest, listed, replica, local))) {
            return List.of();
        }
        requireValid(pending, replica, local);
        if (!beyondHole.isEmpty()) {
            Txid end = end(newest, pending);
            Txid next = beyondHole.get(0).minTxid();
            throw new RestoreException(
                    Reason.GAP,
                    replica.url(),
                    "transactions " + end.next() + " to " + next.previous() + " are missing in the local state "
                            + local.url() + ", and those from " + next + " to "
                            + beyondHole.get(beyondHole.size() - 1).maxTxid() + " were captured but not replicated",
                    remedy(local, end),
                    null);
        }
        return pending;
    }

    private static Txid end(Txid newest, List<LtxFileInfo> pending) {
        return pending.isEmpty() ? newest : pending.get(pending.size() - 1).maxTxid();
    }

    private static String remedy(ReplicaClient local, Txid end) {
        return "bring the missing file back; to lose these commits and restore TXID " + end + ", move the folder "
                + local.url() + " away";
    }

    private static boolean isSameLineage(
            Txid newest, List<LtxFileInfo> listed, ReplicaClient replica, ReplicaClient local) throws IOException {
        for (LtxFileInfo file : listed) {
            boolean single = file.level() == 0 || file.name().equals(FIRST_IMAGE);
            if (single && file.maxTxid().equals(newest)) {
                if (isSameFile(file, replica, local)) {
                    return true;
                }
                log.warn(
                        "{}: local files beyond TXID {} are ignored: the replica's file {} differs from the"
                                + " local one, so another database has replicated there since",
                        replica.url(),
                        newest,
                        file.name());
                return false;
            }
        }
        log.warn(
                "{}: local files beyond TXID {} are ignored: the replica has no level-0 file to compare them with",
                replica.url(),
                newest);
        return false;
    }

    /** Compares size and trailer; the trailer contains the checksum of the whole file. */
    private static boolean isSameFile(LtxFileInfo file, ReplicaClient replica, ReplicaClient local) throws IOException {
        List<LtxFileInfo> copies = new ArrayList<>();
        local.list(0, file.minTxid(), copy -> {
            if (copy.name().equals(file.name())) {
                copies.add(copy);
            }
            return copy.minTxid().equals(file.minTxid());
        });
        if (copies.isEmpty() || copies.get(0).size() != file.size() || file.size() < LtxTrailer.SIZE) {
            return false;
        }
        try {
            return Arrays.equals(trailer(file, file.level(), replica), trailer(file, 0, local));
        } catch (ReplicaFileNotFoundException e) {
            if (e.replica().equals(local.url())) {
                return false;
            }
            throw e;
        }
    }

    private static byte[] trailer(LtxFileInfo file, int level, ReplicaClient client) throws IOException {
        try (var in = client.open(level, file.name(), file.size() - LtxTrailer.SIZE, LtxTrailer.SIZE)) {
            return in.readNBytes(LtxTrailer.SIZE);
        }
    }

    private static void requireValid(List<LtxFileInfo> pending, ReplicaClient replica, ReplicaClient local)
            throws IOException {
        Txid end = pending.isEmpty() ? Txid.NONE : pending.get(0).minTxid().previous();
        for (LtxFileInfo file : pending) {
            try (LtxReader reader = LtxReader.open(
                    local.open(0, file.name(), 0, ReplicaClient.TO_END), label(local, file.name()), file.name())) {
                while (reader.next()) {
                    // reading the file verifies it
                }
                end = file.maxTxid();
            } catch (LtxFormatException e) {
                throw new RestoreException(
                        Reason.DAMAGED,
                        replica.url(),
                        e.getMessage() + "; its commits and those after it were captured but not replicated",
                        remedy(local, end).replace("missing file", "file"),
                        e);
            }
        }
    }

    private static String label(ReplicaClient local, LtxFileName name) {
        return local.url() + " 0/" + name;
    }
}
