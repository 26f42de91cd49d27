package org.litestream4j.drill;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.litestream4j.ltx.Txid;

/**
 * A state that a drill has restored.
 *
 * @param target the requested state, in words
 * @param txid TXID of the restored state
 * @param timestamp time of its last commit
 * @param bytes size of the database in bytes
 * @param files number of LTX files merged
 * @param bytesRead bytes of LTX files read
 * @param checksumCompared whether the replica contains the database checksum of this state; it matches then
 * @param recovery duration of the restore from the first listing until the database was in place, without the pauses
 *     that the drill makes to limit its load, and without SQLite's integrity check
 */
public record DrilledState(
        String target,
        Txid txid,
        Instant timestamp,
        long bytes,
        int files,
        long bytesRead,
        boolean checksumCompared,
        Duration recovery) {

    public DrilledState {
        requireNonNull(target, "target");
        requireNonNull(txid, "txid");
        requireNonNull(timestamp, "timestamp");
        requireNonNull(recovery, "recovery");
    }

    Map<String, Object> describe() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("target", target);
        fields.put("txid", txid.toString());
        fields.put("timestamp", timestamp.toString());
        fields.put("bytes", bytes);
        fields.put("files", files);
        fields.put("bytesRead", bytesRead);
        fields.put("checksumCompared", checksumCompared);
        fields.put("recoveryMillis", recovery.toMillis());
        return fields;
    }
}
