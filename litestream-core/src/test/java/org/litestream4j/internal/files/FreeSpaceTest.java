package org.litestream4j.internal.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FreeSpaceTest {

    @TempDir
    Path folder;

    /** As in containers where Java does not find the disk of a file. */
    @Test
    void diskThatCannotBeFound_countsAsLargeEnough() {
        Path none = folder.resolve("none");
        assertThat(FreeSpace.of(none)).isEqualTo(Long.MAX_VALUE);
        assertThat(FreeSpace.isShared(none, folder)).isFalse();
        assertThat(FreeSpace.isShared(folder, none)).isFalse();
        assertThat(FreeSpace.of(folder)).isBetween(1L, Long.MAX_VALUE - 1);
    }
}
