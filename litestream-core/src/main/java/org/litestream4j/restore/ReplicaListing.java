package org.litestream4j.restore;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;

/** The files of all levels of a replica. Requests each exact timestamp at most once. Not thread-safe. */
final class ReplicaListing implements RestorePlanner.Timestamps {

    private final ReplicaClient replica;
    private final List<LtxFileInfo> files;
    private final Map<LtxFileInfo, Instant> timestamps = new HashMap<>();

    private ReplicaListing(ReplicaClient replica, List<LtxFileInfo> files) {
        this.replica = replica;
        this.files = files;
    }

    static ReplicaListing of(ReplicaClient replica) throws IOException {
        List<LtxFileInfo> files = new ArrayList<>();
        replica.listAll(ReplicaClient.FROM_THE_FIRST, files::add);
        return new ReplicaListing(replica, files);
    }

    List<LtxFileInfo> files() {
        return files;
    }

    /** Returns the newest TXID of all files. */
    Txid newest() {
        return files.stream().map(LtxFileInfo::maxTxid).reduce(Txid.NONE, Txid::max);
    }

    @Override
    public Instant of(LtxFileInfo file) throws IOException {
        Instant known = timestamps.get(file);
        if (known == null) {
            known = replica.timestamp(file);
            timestamps.put(file, known);
        }
        return known;
    }
}
