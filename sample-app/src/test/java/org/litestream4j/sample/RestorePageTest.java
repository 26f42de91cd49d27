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

/** The scripts of the page, run by Node.js with a page of the test. */
class RestorePageTest {

    @TempDir
    Path folder;

    @Test
    void page_offersUndoAfterReload_andAsksBeforeItRestoresBehindTheSchema() throws Exception {
        assertPasses("restore-page.mjs", "restore.js");
    }

    @Test
    void tilesOfTheReplication_showWhileTheNotesCannotBeRead() throws Exception {
        assertPasses("tiles.mjs", "index.html");
    }

    /** The endpoint has no login. */
    @Test
    void server_listensOnThisMachineOnly() throws IOException {
        assertThat(Files.readAllLines(Path.of("src/main/resources/application.yaml")))
                .anyMatch(line -> line.startsWith("server.address: 127.0.0.1"));
    }

    private void assertPasses(String test, String page) throws Exception {
        assumeTrue(run("node", "--version") == 0, "only where there is Node.js");
        int code = run("node", "src/test/resources/page/" + test, "src/main/resources/static/" + page);
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
