package org.litestream4j.sample;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script of the page: Undo after the page was loaded again, and the question before a restore behind the schema. */
class RestorePageTest {

    @TempDir
    Path folder;

    @Test
    void page_offersUndoAfterReload_andAsksBeforeItRestoresBehindTheSchema() throws Exception {
        assumeTrue(run("node", "--version") == 0, "only where there is Node.js");
        int code = run(
                "node",
                Path.of("src/test/resources/page/restore-page.mjs").toString(),
                Path.of("src/main/resources/static/restore.js").toString());
        assertThat(code).as(Files.readString(folder.resolve("out.txt"), UTF_8)).isZero();
    }

    private int run(String... command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve("out.txt").toFile())
                    .start();
            return process.waitFor(30, TimeUnit.SECONDS) ? process.exitValue() : -1;
        } catch (IOException e) {
            return -1;
        }
    }
}
