package org.litestream4j.compaction;

import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.StopSignal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks that level-0 files continue each other's WAL. Files of two programs may have consecutive names; merged, they
 * would yield states that never existed. Covers files of earlier processes, as far as level 0 still contains them. Not
 * thread-safe.
 */
final class Level0Chain {

    private static final Logger log = LoggerFactory.getLogger(Level0Chain.class);

    private final ReplicaClient client;
    private final ReplicaIndex index;
    private final LocalLevel0 local;
    private final StopSignal stop;

    /** Header of the last file that was found to continue the chain; null if there was none. */
    private @Nullable LtxHeader last;

    /** @param local files that need not be downloaded */
    Level0Chain(ReplicaClient client, ReplicaIndex index, LocalLevel0 local, StopSignal stop) {
        this.client = client;
        this.index = index;
        this.local = local;
        this.stop = stop;
    }

    /** Forgets the last file, because a new history may use its transaction number again. */
    void forget() {
        last = null;
    }

    /** Returns whether a file continues the WAL of the file before it, or contains all pages. */
    boolean continues(LtxFileInfo file, LtxHeader header) throws IOException {
        LtxHeader before = before(header);
        if (before != null && !header.wal().follows(before.wal()) && !isImage(file)) {
            log.warn(
                    "a file does not continue the one before it, two programs write to this replica: replica={} file={}"
                            + " last-sound-txid={}",
                    client.url(),
                    file.name(),
                    before.maxTxid());
            return false;
        }
        last = header;
        return true;
    }

    /** Returns the header of the file before a file; null if it is no longer in level 0, or cannot be read. */
    private @Nullable LtxHeader before(LtxHeader header) throws IOException {
        Txid txid = header.minTxid().previous();
        LtxHeader known = last;
        if (known != null && known.maxTxid().equals(txid)) {
            return known;
        }
        LevelFiles level0 = index.level(0);
        int at = level0.firstAfter(txid) - 1;
        return at >= 0 && level0.max(at).equals(txid) ? header(level0.info(at)) : null;
    }

    /** Returns the header of a file; null if the file is damaged or was deleted in the meantime. */
    @Nullable
    LtxHeader header(LtxFileInfo file) throws IOException {
        OpenedFile here = local.open(file.name(), file.size());
        String label = Inputs.label(client, file);
        try (InputStream in = here == null ? client.open(0, file.name(), 0, LtxHeader.SIZE) : here.content()) {
            return LtxHeader.parse(in.readNBytes(LtxHeader.SIZE), label);
        } catch (LtxFormatException | ReplicaFileNotFoundException e) {
            return null;
        }
    }

    private boolean isImage(LtxFileInfo file) throws IOException {
        LtxFileName name = file.name();
        OpenedFile here = local.open(name, file.size());
        OpenedFile input = here == null ? Inputs.openRemote(client, file, stop) : here;
        long pages = 0;
        try (LtxReader reader = LtxReader.open(input.content(), Inputs.label(client, file), name)) {
            while (reader.next()) {
                pages++;
            }
            return Validation.isImage(reader.header(), pages);
        } catch (LtxFormatException e) {
            return false; // it is damaged, so that a snapshot must follow
        }
    }
}
