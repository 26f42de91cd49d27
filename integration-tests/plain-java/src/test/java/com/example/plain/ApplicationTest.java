package com.example.plain;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From the start to the restore. */
class ApplicationTest {

    @Test
    void lostFile_isRestored(@TempDir Path first, @TempDir Path second, @TempDir Path backups) throws Exception {
        String replica = backups.toUri().toString();
        assertEquals(List.of("kept"), Application.run(first.resolve("app.db"), replica, "kept"));
        // Another machine, which has nothing but the replica.
        assertEquals(List.of("kept", "added"), Application.run(second.resolve("app.db"), replica, "added"));
    }
}
