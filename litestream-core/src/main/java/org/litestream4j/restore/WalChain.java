package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.StopSignal;
import org.litestream4j.restore.RestoreException.Reason;

/**
 * Checks that adjacent level-0 files come from one WAL. The range of WAL bytes in the header shows which states a file
 * continues: every state between its start and its end. Two programs that write to one replica break this chain, and
 * the states after the break never existed.
 */
final class WalChain {

    /** Maximum number of files whose headers are read in addition to the plan; each takes a request. */
    private static final int MOST_READ = 1024;

    private WalChain() {}

    /**
     * Checks the files that follow the last complete image; files replaced by an image are irrelevant.
     *
     * @param headers headers of the sources
     * @param pages number of pages of each source
     * @return last transaction of the image; {@link Txid#NONE} if no source is one
     * @throws RestoreException with {@link Reason#CHECKSUM} and the last valid TXID
     */
    static Txid check(List<PlanSource> sources, @Nullable LtxHeader[] headers, long[] pages) throws RestoreException {
        int image = sources.size() - 1;
        while (image >= 0 && !isImage(requireNonNull(headers[image]), pages[image])) {
            image--;
        }
        for (int i = Math.max(1, image + 1); i < sources.size(); i++) {
            LtxHeader next = requireNonNull(headers[i]);
            LtxHeader before = requireNonNull(headers[i - 1]);
            if (sources.get(i).info().level() == 0
                    && sources.get(i - 1).info().level() == 0
                    && isBroken(before, next)) {
                throw broken(sources.get(i).client().url(), sources.get(i).label(), before, next);
            }
        }
        return image < 0 ? Txid.NONE : requireNonNull(headers[image]).maxTxid();
    }

    /**
     * Checks the level-0 files that a plan replaces by merged files, as far as the replica still contains them: another
     * program may have merged what does not belong together.
     *
     * @param listed files of all levels of the replica
     * @param known headers of the plan's files of level 0, which were checked
     * @param after last transaction of the image from which the plan starts
     * @param last last transaction of the plan
     * @throws RestoreException with {@link Reason#CHECKSUM} and the last valid TXID
     */
    static void checkMerged(
            ReplicaClient replica,
            List<LtxFileInfo> listed,
            Map<LtxFileName, LtxHeader> known,
            Txid after,
            Txid last,
            int parallelism,
            StopSignal stop)
            throws IOException {
        List<LtxFileInfo> files = listed.stream()
                .filter(file -> file.level() == 0
                        && !file.maxTxid().isBefore(after)
                        && !file.maxTxid().isAfter(last))
                .sorted(Comparator.comparing(LtxFileInfo::maxTxid))
                .toList();
        Map<LtxFileName, LtxHeader> headers = new HashMap<>(known);
        headers.putAll(read(replica, unknown(files, known), parallelism, stop));
        for (int i = 1; i < files.size(); i++) {
            LtxHeader before = headers.get(files.get(i - 1).name());
            LtxHeader next = headers.get(files.get(i).name());
            if (before != null && next != null && isBroken(before, next) && !isImage(replica, files.get(i))) {
                throw broken(replica.url(), PlanSource.label(files.get(i)), before, next);
            }
        }
    }

    /** Returns the newest files that have a neighbour with an adjacent transaction, and are not in the plan. */
    private static List<LtxFileName> unknown(List<LtxFileInfo> files, Map<LtxFileName, LtxHeader> known) {
        List<LtxFileName> names = new ArrayList<>();
        for (int i = files.size() - 1; i >= 0 && names.size() < MOST_READ; i--) {
            LtxFileInfo file = files.get(i);
            boolean follows =
                    i > 0 && file.minTxid().equals(files.get(i - 1).maxTxid().next());
            boolean isFollowed = i + 1 < files.size()
                    && files.get(i + 1).minTxid().equals(file.maxTxid().next());
            if ((follows || isFollowed) && !known.containsKey(file.name())) {
                names.add(file.name());
            }
        }
        return names;
    }

    /** Reads the headers of files that still exist, several at a time. */
    private static Map<LtxFileName, LtxHeader> read(
            ReplicaClient replica, List<LtxFileName> names, int parallelism, StopSignal stop) throws IOException {
        Map<LtxFileName, LtxHeader> headers = new ConcurrentHashMap<>();
        if (names.isEmpty()) {
            return headers;
        }
        ExecutorService pool = Executors.newFixedThreadPool(Math.min(parallelism, names.size()), work -> {
            Thread thread = new Thread(work, "litestream-restore-chain");
            thread.setDaemon(true);
            return thread;
        });
        try {
            List<Future<?>> reads = new ArrayList<>();
            for (LtxFileName name : names) {
                reads.add(pool.submit(() -> {
                    stop.check();
                    LtxHeader header = header(replica, name);
                    if (header != null) {
                        headers.put(name, header);
                    }
                    return null;
                }));
            }
            for (Future<?> read : reads) {
                read.get();
            }
            return headers;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw new IOException("cannot read the headers of level 0 of " + replica.url(), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StopSignal.StoppedException();
        } finally {
            stop.stop();
            pool.shutdown();
        }
    }

    /** Returns the header of a level-0 file; null if the file does not exist, or is damaged. */
    static @Nullable LtxHeader header(ReplicaClient replica, LtxFileName name) throws IOException {
        try (InputStream in = replica.open(0, name, 0, LtxHeader.SIZE)) {
            return LtxHeader.parse(in.readNBytes(LtxHeader.SIZE), name.toString());
        } catch (ReplicaFileNotFoundException | LtxFormatException e) {
            return null; // deleted since the listing; no part of the plan
        }
    }

    /** Returns whether the second of two level-0 files does not continue the first, although its TXID does. */
    static boolean isBroken(LtxHeader before, LtxHeader next) {
        return next.minTxid().equals(before.maxTxid().next()) && !next.wal().follows(before.wal());
    }

    private static boolean isImage(ReplicaClient replica, LtxFileInfo file) throws IOException {
        long pages = 0;
        try (LtxReader reader = LtxReader.open(
                replica.open(0, file.name(), 0, ReplicaClient.TO_END), PlanSource.label(file), file.name())) {
            while (reader.next()) {
                pages++;
            }
            return isImage(reader.header(), pages);
        } catch (ReplicaFileNotFoundException | LtxFormatException e) {
            return true; // shows nothing
        }
    }

    private static boolean isImage(LtxHeader header, long pages) {
        long lockPage = LockPage.pgno(header.pageSize());
        return pages >= header.commit() - (header.commit() >= lockPage ? 1 : 0);
    }

    private static RestoreException broken(String replica, String label, LtxHeader before, LtxHeader next) {
        return new RestoreException(
                Reason.CHECKSUM,
                replica,
                "each file is intact, but " + label + " does not continue the state before it: it comes from "
                        + range(next.wal()) + ", and the file before from " + range(before.wal())
                        + ". Two programs have written to this replica, or a file was replaced",
                "restore TXID " + before.maxTxid()
                        + ", the last sound state before it, or a state from a later snapshot; to"
                        + " have it as it is, restore with {databaseChecksum=false}",
                null);
    }

    private static String range(WalRange wal) {
        return "bytes " + wal.offset() + " to " + (wal.offset() + wal.size()) + " of the WAL with salts "
                + Integer.toHexString(wal.salt1()) + " " + Integer.toHexString(wal.salt2());
    }
}
