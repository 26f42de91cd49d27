package org.litestream4j.replica;

/**
 * A backup at the address of a replica without files that is none in the replica's layout: of another program, of another kind of
 * store, or under the name that an earlier version of this library used.
 *
 * @param problem what is there, as a part of a sentence
 * @param remedy what its owner can do; an imperative
 */
public record OtherBackup(String problem, String remedy) {

    /** A backup of Litestream 0.3. */
    public static OtherBackup generations() {
        return new OtherBackup(
                "there is only a backup of Litestream 0.3 (generations/), which cannot be read here",
                "restore it with Litestream 0.5, or name another replica for a new database");
    }
}
