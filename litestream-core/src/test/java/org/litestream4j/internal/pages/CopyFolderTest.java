package org.litestream4j.internal.pages;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The locks and the temporary folders of hydrated files. */
class CopyFolderTest {

    private static final String REPLICA = "file:///replica";

    @TempDir
    Path temp;

    @Test
    void secondUserInThisProcess_getsATemporaryFolder() throws Exception {
        Path wanted = temp.toRealPath();
        try (CopyFolder first = CopyFolder.open(temp, REPLICA);
                CopyFolder second = CopyFolder.open(temp, REPLICA);
                CopyFolder other = CopyFolder.open(temp, REPLICA + "2")) {
            assertThat(first.record().getParent()).isEqualTo(wanted);
            assertThat(second.record().getParent()).isNotEqualTo(wanted);
            assertThat(other.record().getParent()).isEqualTo(wanted);
        }
        try (CopyFolder again = CopyFolder.open(temp, REPLICA)) {
            assertThat(again.record().getParent()).isEqualTo(wanted);
            assertThat(again.newFile()).isNotEqualTo(again.newFile());
        }
    }

    /** On POSIX systems, closing any channel of a file releases the locks that the process has on it. */
    @Test
    void secondUserInThisProcess_doesNotReleaseTheLock() throws Exception {
        try (CopyFolder first = CopyFolder.open(temp, REPLICA)) {
            Path lock = first.resolve("hydrated-" + StoredIndexes.key(REPLICA) + ".lock");
            assertThat(isLocked(lock)).isTrue();
            CopyFolder.open(temp, REPLICA).close();
            assertThat(isLocked(lock)).isTrue();
        }
    }

    private static boolean isLocked(Path file) throws IOException {
        Path locks = Path.of("/proc/locks");
        assumeThat(Files.isReadable(locks)).as("the kernel lists locks").isTrue();
        String inode = ":" + Files.getAttribute(file, "unix:ino") + " ";
        return Files.readString(locks).contains(inode);
    }

    @Test
    void temporaryFolder_isDeletedAtTheEnd_orOnceItsProcessIsGone() throws Exception {
        Path left = Files.createTempDirectory("litestream-pages");
        Files.createFile(left.resolve("hydrated-1.lock"));
        Files.createFile(left.resolve("hydrated-1-2.db"));
        Files.createFile(left.resolve("hydrated-1.state"));
        setOld(left);
        Path used;
        try (CopyFolder folder = CopyFolder.open(null, REPLICA)) {
            assertThat(left).doesNotExist();
            used = folder.record().getParent();
            setOld(used);
            CopyFolder.open(null, REPLICA).close();
            assertThat(used).isDirectory();
        }
        assertThat(used).doesNotExist();
    }

    private static void setOld(Path folder) throws IOException {
        Files.setLastModifiedTime(folder, FileTime.from(Instant.now().minusSeconds(3600)));
    }
}
