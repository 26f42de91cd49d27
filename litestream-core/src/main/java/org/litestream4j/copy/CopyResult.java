package org.litestream4j.copy;

import static java.util.Objects.requireNonNull;

import java.util.List;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;

/**
 * Result of a copy.
 *
 * @param newest newest state that the target can restore
 * @param files number of files copied
 * @param bytes their size in bytes
 * @param present number of wanted files that the target had before
 * @param deleted number of files deleted from the target
 * @param marks number of marks copied
 * @param damaged files of the source that are damaged, and therefore were not copied; none of them is needed for the
 *     newest state
 */
public record CopyResult(
        Txid newest, int files, long bytes, int present, int deleted, int marks, List<LtxFileInfo> damaged) {

    public CopyResult {
        requireNonNull(newest, "newest");
        damaged = List.copyOf(damaged);
    }
}
