package org.litestream4j.internal.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountPointsTest {

    @TempDir
    private Path folder;

    @Test
    void contains_mountedFile_alsoWithABlank() throws Exception {
        Path mounts = Files.writeString(
                folder.resolve("mountinfo"),
                """
                36 35 98:0 / / rw,noatime master:1 - ext4 /dev/root rw
                37 36 98:0 /host/app.db /data/app.db rw - ext4 /dev/root rw
                38 36 98:0 /host/b.db /my\\040data/b.db rw - ext4 /dev/root rw
                """);
        assertThat(MountPoints.contains(Path.of("/data/app.db"), mounts)).isTrue();
        assertThat(MountPoints.contains(Path.of("/my data/b.db"), mounts)).isTrue();
        assertThat(MountPoints.contains(Path.of("/data"), mounts)).isFalse();
        assertThat(MountPoints.contains(Path.of("/host/app.db"), mounts)).isFalse();
    }

    @Test
    void contains_systemWithoutTheList_isFalse() {
        assertThat(MountPoints.contains(Path.of("/data/app.db"), folder.resolve("missing")))
                .isFalse();
    }
}
