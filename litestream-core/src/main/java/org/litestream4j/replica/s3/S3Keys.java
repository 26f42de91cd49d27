package org.litestream4j.replica.s3;

import java.util.Locale;
import java.util.Optional;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;

/** Keys of a replica's objects: {@code <prefix>/<level as 4 hex digits>/<name>}. */
final class S3Keys {

    private final String prefix;

    S3Keys(String prefix) {
        this.prefix = prefix;
    }

    /** What all keys of a level begin with. */
    String level(int level) {
        if (level < 0 || level > ReplicaClient.SNAPSHOT_LEVEL) {
            throw new IllegalArgumentException("no such level: " + level);
        }
        return prefix + "/" + String.format(Locale.ROOT, "%04x", level) + "/";
    }

    String key(int level, LtxFileName name) {
        return level(level) + name;
    }

    /** A key before all files of the level that begin at {@code from} or later, and after all others. */
    String before(int level, Txid from) {
        return level(level) + from;
    }

    /** What all keys of the replica begin with. */
    String root() {
        return prefix + "/";
    }

    /** Whether a key is that of a file of the replica, of whatever level. */
    boolean isFile(String key) {
        for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
            if (name(key, level(level)).isPresent()) {
                return true;
            }
        }
        return false;
    }

    /** What the keys of Litestream 0.3 begin with at the same address. */
    String generations() {
        return below("generations/");
    }

    /** What the keys of a folder replica begin with that was copied to the same address. */
    String copiedFolder() {
        return below("ltx/");
    }

    /** As other programs make keys: without empty segments, and without "." for the bucket itself. */
    private String below(String name) {
        String plain = S3Url.clean(prefix);
        return plain.isEmpty() ? name : plain + "/" + name;
    }

    /** The file that a key of a level names; empty for objects of other kinds. */
    static Optional<LtxFileName> name(String key, String levelPrefix) {
        return key.startsWith(levelPrefix) ? LtxFileName.parse(key.substring(levelPrefix.length())) : Optional.empty();
    }
}
