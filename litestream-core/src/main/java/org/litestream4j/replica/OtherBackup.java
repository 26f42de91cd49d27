package org.litestream4j.replica;

/**
 * A backup in a format other than the replica's, found at the address of a replica without files: written by another
 * program, in another kind of store, or under the name used by an earlier version of this library.
 *
 * @param problem description of the backup, as part of a sentence
 * @param remedy what the operator can do, as an imperative
 */
public record OtherBackup(String problem, String remedy) {

    /** Returns a backup of Litestream 0.3. */
    public static OtherBackup generations() {
        return new OtherBackup(
                "there is only a backup of Litestream 0.3 (generations/), which cannot be read here",
                "restore it with Litestream 0.5, or name another replica for a new database");
    }
}
