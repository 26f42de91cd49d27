package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;

/**
 * The files whose merge yields the requested state, in the order of their transactions.
 *
 * @param files files of the replica
 * @param localFiles later files that are not on the replica yet
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

    /** Returns the TXID of the resulting state. */
    public Txid txid() {
        List<LtxFileInfo> all = allFiles();
        return all.get(all.size() - 1).maxTxid();
    }

    /** Returns the size of all files in bytes. */
    public long bytes() {
        return allFiles().stream().mapToLong(LtxFileInfo::size).sum();
    }

    List<LtxFileInfo> allFiles() {
        List<LtxFileInfo> all = new ArrayList<>(files);
        all.addAll(localFiles);
        return all;
    }
}
