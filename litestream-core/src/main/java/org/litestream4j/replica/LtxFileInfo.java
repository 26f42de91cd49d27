package org.litestream4j.replica;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;

/**
 * An LTX file as listed by a replica.
 *
 * @param level 0 to {@link ReplicaClient#SNAPSHOT_LEVEL}
 * @param name name of the file, which contains its transactions
 * @param size size in bytes
 * @param timestamp time of the file's last transaction; if the store's listing does not contain it ({@code exact}
 *     is false), the store's modification time, which is never earlier
 * @param exact whether {@code timestamp} is the file's own; if false, {@link ReplicaClient#timestamp} returns the
 *     exact time
 */
public record LtxFileInfo(int level, LtxFileName name, long size, Instant timestamp, boolean exact) {

    /** @throws IllegalArgumentException if the level or the size is out of range */
    public LtxFileInfo {
        if (level < 0 || level > ReplicaClient.SNAPSHOT_LEVEL) {
            throw new IllegalArgumentException("no such level: " + level);
        }
        if (size < 0) {
            throw new IllegalArgumentException("negative size: " + size);
        }
        requireNonNull(name, "name");
        requireNonNull(timestamp, "timestamp");
    }

    public Txid minTxid() {
        return name.min();
    }

    public Txid maxTxid() {
        return name.max();
    }
}
