package org.litestream4j.replica;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;

/**
 * An LTX file as a replica lists it.
 *
 * @param level 0 to {@link ReplicaClient#SNAPSHOT_LEVEL}
 * @param name its transactions
 * @param size in bytes
 * @param timestamp of its last transaction; where a listing of the store cannot tell it ({@code exact} false), the
 *     store's own modification time, which is not before it
 * @param exact whether {@code timestamp} is the file's own; if not, {@link ReplicaClient#timestamp} asks for it
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
