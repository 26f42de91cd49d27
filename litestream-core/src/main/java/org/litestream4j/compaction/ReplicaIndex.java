package org.litestream4j.compaction;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;

/**
 * The known content of the replica: listed once, updated by this process's writes and deletions, and listed again where
 * it has become uncertain. Not thread-safe.
 */
final class ReplicaIndex {

    private final ReplicaClient client;
    private final LevelFiles[] levels = new LevelFiles[ReplicaClient.SNAPSHOT_LEVEL + 1];
    private final boolean[] known = new boolean[levels.length];

    ReplicaIndex(ReplicaClient client) {
        this.client = client;
        for (int level = 0; level < levels.length; level++) {
            levels[level] = new LevelFiles(level);
        }
    }

    LevelFiles level(int level) {
        return levels[level];
    }

    List<LevelFiles> levels() {
        return Arrays.asList(levels);
    }

    LevelFiles snapshots() {
        return levels[ReplicaClient.SNAPSHOT_LEVEL];
    }

    /** Lists the levels whose content is unknown. */
    void refresh() throws IOException {
        if (noneIsKnown()) {
            listAll();
            return;
        }
        for (int level = 0; level < levels.length; level++) {
            if (!known[level]) {
                LevelFiles files = new LevelFiles(level);
                client.list(level, Txid.NONE, file -> {
                    files.add(file);
                    return true;
                });
                levels[level] = files;
                known[level] = true;
            }
        }
    }

    private boolean noneIsKnown() {
        for (boolean one : known) {
            if (one) {
                return false;
            }
        }
        return true;
    }

    private void listAll() throws IOException {
        LevelFiles[] listed = new LevelFiles[levels.length];
        for (int level = 0; level < listed.length; level++) {
            listed[level] = new LevelFiles(level);
        }
        client.listAll(ReplicaClient.FROM_THE_FIRST, file -> {
            listed[file.level()].add(file);
            return true;
        });
        System.arraycopy(listed, 0, levels, 0, levels.length);
        Arrays.fill(known, true);
    }

    /** Adds a file published by this process. */
    void add(LtxFileInfo file) {
        levels[file.level()].add(file);
    }

    /** Adds a file published by this process, if nothing else has happened to its level since {@link #doubt}. */
    void published(LtxFileInfo file) {
        known[file.level()] = true;
        add(file);
    }

    /** Marks the content of a level as uncertain, so that the level is listed before it is used again. */
    void doubt(int level) {
        known[level] = false;
    }

    void doubtAll() {
        Arrays.fill(known, false);
    }
}
