package org.litestream4j.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WatchedFilesTest {

    @TempDir
    Path folder;

    /** On many file systems two writes within one tick leave the same time, and a WAL keeps its size. */
    @Test
    void writeThatLeavesNoTrace_isSeenAfterTheOneBefore() throws Exception {
        Path database = folder.resolve("app.db");
        Path wal = folder.resolve("app.db-wal");
        Files.writeString(database, "pages");
        Files.writeString(wal, "one");
        FileTime tick = Files.getLastModifiedTime(wal);
        WatchedFiles files = new WatchedFiles(database, folder);
        assertThat(files.haveChanged()).isTrue();
        Files.writeString(wal, "two");
        Files.setLastModifiedTime(wal, tick);
        assertThat(files.haveChanged()).isTrue();
    }
}
