package org.litestream4j.restore;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.StopSignal;

/**
 * Opened files of a replica that are applied together: a bounded number of files from the start of a list, all of one
 * page size.
 */
record FollowBatch(List<LtxReader> readers, List<LtxFileInfo> files) {

    /** Maximum number of open files; each costs some tens of kilobytes and a page index. */
    private static final int MAX_FILES = 64;

    /** Largest file that is read whole, in bytes; larger files are streamed, each over its own connection. */
    private static final int SMALL = 1 << 16;

    private static final int MAX_LARGE_FILES = 8;

    /**
     * Opens the files.
     *
     * @param pageSize page size of the standby
     * @param cancelled returns true to end the reading with a {@link StopSignal.StoppedException}
     * @return null if the first file has another page size
     */
    static @Nullable FollowBatch open(
            ReplicaClient replica, List<LtxFileInfo> files, int pageSize, BooleanSupplier cancelled)
            throws IOException {
        List<LtxReader> readers = new ArrayList<>();
        boolean complete = false;
        try {
            int large = 0;
            for (LtxFileInfo file : files) {
                large += file.size() > SMALL ? 1 : 0;
                if (readers.size() == MAX_FILES || large > MAX_LARGE_FILES) {
                    break;
                }
                LtxReader reader = open(replica, file, cancelled);
                if (reader.header().pageSize() != pageSize) {
                    reader.close();
                    break;
                }
                readers.add(reader);
            }
            complete = true;
            return readers.isEmpty() ? null : new FollowBatch(readers, files.subList(0, readers.size()));
        } finally {
            if (!complete) {
                close(readers);
            }
        }
    }

    private static void close(List<LtxReader> readers) throws IOException {
        for (LtxReader reader : readers) {
            reader.close();
        }
    }

    /** Closes the readers, unless another owner closes them. */
    void close() throws IOException {
        close(readers);
    }

    /**
     * Returns whether each level-0 file continues the WAL range of the previous one. Where a merged file, or a file
     * that was applied by an earlier process, precedes a level-0 file, the level-0 file before it is requested.
     *
     * @param before header of the level-0 file that was applied last; null if unknown
     */
    boolean leadsOnFrom(ReplicaClient replica, @Nullable LtxHeader before) throws IOException {
        LtxHeader previous = before;
        for (int i = 0; i < readers.size(); i++) {
            LtxHeader header = readers.get(i).header();
            boolean level0 = files.get(i).level() == 0;
            if (level0 && previous == null) {
                previous =
                        WalChain.header(replica, LtxFileName.of(header.minTxid().previous()));
            }
            if (level0 && previous != null && WalChain.isBroken(previous, header)) {
                return false;
            }
            previous = level0 ? header : null;
        }
        return true;
    }

    /** Returns the header of the newest file if that file is of level 0; otherwise null. */
    @Nullable
    LtxHeader newestOfLevel0() {
        int newest = readers.size() - 1;
        return files.get(newest).level() == 0 ? readers.get(newest).header() : null;
    }

    private static LtxReader open(ReplicaClient replica, LtxFileInfo file, BooleanSupplier cancelled)
            throws IOException {
        String label = replica.url() + " " + PlanSource.label(file);
        PlanSource source = new PlanSource(replica, file, label);
        InputStream in = source.open(0, file.size(), new StopSignal(cancelled), new RestoreCounters());
        if (file.size() <= SMALL) {
            try (in) {
                return LtxReader.open(new ByteArrayInputStream(in.readNBytes(SMALL)), label, file.name());
            }
        }
        return LtxReader.open(in, label, file.name());
    }
}
