package org.litestream4j.replica.s3;

import java.util.Locale;
import java.util.Optional;
import org.litestream4j.internal.files.UrlPath;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;

/** Keys of a replica's objects: {@code <prefix>/<level as 4 hex digits>/<name>}. */
final class S3Keys {

    private final String prefix;

    S3Keys(String prefix) {
        this.prefix = prefix;
    }

    /** Returns the prefix of all keys of a level. */
    String level(int level) {
        if (level < 0 || level > ReplicaClient.SNAPSHOT_LEVEL) {
            throw new IllegalArgumentException("no such level: " + level);
        }
        return prefix + "/" + String.format(Locale.ROOT, "%04x", level) + "/";
    }

    String key(int level, LtxFileName name) {
        return level(level) + name;
    }

    /** Returns a key between all files of the level that begin before {@code from} and all others. */
    String before(int level, Txid from) {
        return level(level) + from;
    }

    /** Returns the prefix of the keys of the marks. */
    String marks() {
        return prefix + "/marks/";
    }

    /** Returns the key of the object that checks whether the store locks objects. */
    String lockCheck() {
        return prefix + "/object-lock-check";
    }

    /** Returns the prefix of all keys of the replica. */
    String root() {
        return prefix + "/";
    }

    /** Returns whether a key belongs to a file of the replica, in any level. */
    boolean isFile(String key) {
        for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
            if (name(key, level(level)).isPresent()) {
                return true;
            }
        }
        return false;
    }

    /** Returns the prefix of the keys of Litestream 0.3 at the same address. */
    String generations() {
        return below("generations/");
    }

    /** Returns the prefix of the keys of a folder replica that was copied to the same address. */
    String copiedFolder() {
        return below("ltx/");
    }

    /** Returns a key in the form used by other programs: without empty segments, and without "." for the bucket itself. */
    private String below(String name) {
        String plain = UrlPath.clean(prefix);
        return plain.isEmpty() ? name : plain + "/" + name;
    }

    /** Returns the file name in a key of a level; empty for other objects. */
    static Optional<LtxFileName> name(String key, String levelPrefix) {
        return key.startsWith(levelPrefix) ? LtxFileName.parse(key.substring(levelPrefix.length())) : Optional.empty();
    }
}
