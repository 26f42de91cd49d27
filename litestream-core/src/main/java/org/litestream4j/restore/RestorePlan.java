package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;

/**
 * The files whose merge is the wanted state, in the order of their transactions.
 *
 * @param files of the replica
 * @param localFiles that follow them and are not on the replica yet
 */
public record RestorePlan(List<LtxFileInfo> files, List<LtxFileInfo> localFiles) {

    /** @throws IllegalArgumentException if there is no file */
    public RestorePlan {
        files = List.copyOf(files);
        localFiles = List.copyOf(localFiles);
        if (files.isEmpty() && localFiles.isEmpty()) {
            throw new IllegalArgumentException("a plan without files");
        }
    }

    RestorePlan withLocalFiles(List<LtxFileInfo> local) {
        requireNonNull(local, "local");
        return new RestorePlan(files, local);
    }

    /** The state that it leads to. */
    public Txid txid() {
        List<LtxFileInfo> all = allFiles();
        return all.get(all.size() - 1).maxTxid();
    }

    /** Size of all files, in bytes. */
    public long bytes() {
        return allFiles().stream().mapToLong(LtxFileInfo::size).sum();
    }

    List<LtxFileInfo> allFiles() {
        List<LtxFileInfo> all = new ArrayList<>(files);
        all.addAll(localFiles);
        return all;
    }
}
