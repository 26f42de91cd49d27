package org.litestream4j.internal.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.DatabaseChecksum;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;

class StagingTest {

    @TempDir
    Path folder;

    @Test
    void leftover_thatCouldNotBeDeleted_doesNotLendItsChecksumToTheNextFile() throws Exception {
        Staging staging = new Staging(folder, 0);
        staging.prepare();
        LtxFileName name = LtxFileName.of(new Txid(7));
        Path leftover = Files.createFile(folder.resolve("ltx/0/" + name + ".tmp"));
        DatabaseChecksum.attach(leftover, OptionalLong.of(1L << 63));
        assumeThat(DatabaseChecksum.of(leftover))
                .as("the file system keeps attributes")
                .isPresent();
        try (Staging.Unfinished file = staging.begin(name)) {
            file.out().write(1);
            file.publish(0, OptionalLong.empty());
        }
        assertThat(staging.databaseChecksum(name)).isEmpty();
        assertThat(leftover).doesNotExist();
    }
}
