package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.litestream4j.restore.RestoreException.Reason;

/** Files beside the target: those of another database, and those of restores that were killed. */
class RestoreLeftoversTest extends RestoreFixture {

    @Test
    void restore_leftoverBesideTheTarget_isRefusedByName() throws IOException {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        for (String suffix : List.of("-wal", "-shm", "-journal")) {
            Path leftover = Files.writeString(target.resolveSibling("app.db" + suffix), "left");
            assertFails(() -> restore(RestoreOptions.defaults()), Reason.LEFTOVERS, leftover.toString());
            assertThat(leftover).hasContent("left");
            Files.delete(leftover);
        }
    }

    @Test
    void restore_leftoversMovedAside_areKeptUnderOtherNames() throws IOException {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        Files.writeString(target.resolveSibling("app.db-wal"), "wal");
        Files.writeString(target.resolveSibling("app.db-shm"), "shm");
        RestoreResult result =
                restore(RestoreOptions.builder().moveLeftoversAside(true).build());
        assertThat(target).hasBinaryContent(model.latest());
        assertThat(target.resolveSibling("app.db-wal")).doesNotExist();
        assertThat(target.resolveSibling("app.db-shm")).doesNotExist();
        assertThat(result.movedAside()).hasSize(2);
        assertThat(result.movedAside().get(0)).hasContent("wal");
        assertThat(result.movedAside().get(1)).hasContent("shm");
    }

    @Test
    void restore_temporariesOfKilledProcesses_areDeleted() throws IOException {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        long ended = 4_190_000; // beyond Linux's largest process number
        long parent = ProcessHandle.current().parent().orElseThrow().pid();
        String random = "-0123456789abcdef.tmp";
        Path ours = Files.createFile(target.resolveSibling(
                ".app.db.restore-" + ProcessHandle.current().pid() + random));
        Path theirs = Files.createFile(target.resolveSibling(".app.db.restore-" + ended + random));
        Path running = Files.createFile(target.resolveSibling(".app.db.restore-" + parent + random));
        Path other = Files.createFile(target.resolveSibling(".app.db2.restore-" + ended + random));
        Path foreign = Files.createFile(target.resolveSibling(".app.db.restore-mine.tmp"));
        restore(RestoreOptions.defaults());
        assertThat(ours).doesNotExist();
        assertThat(theirs).doesNotExist();
        for (Path kept : List.of(running, other, foreign)) {
            assertThat(kept).exists();
            Files.delete(kept);
        }
    }

    /** Equal process numbers, as in two containers with one volume. */
    @Test
    void restore_temporaryOfAProcessWithTheSameNumber_isKeptWhileThatRuns() throws Exception {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        String ours = ".app.db.restore-" + ProcessHandle.current().pid() + "-0123456789abcdef.tmp";
        Path kept = target.resolveSibling(ours);
        Path lock = target.resolveSibling(ours + ".lock");
        Process other = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        TemporaryFileChild.class.getName(),
                        target.getParent().toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader lines = other.inputReader()) {
            Path theirs = Path.of(lines.readLine());
            Files.move(theirs.resolveSibling(theirs.getFileName() + ".lock"), lock);
            Files.move(theirs, kept);
            restore(RestoreOptions.defaults());
            assertThat(kept).exists();
            assertThat(lock).exists();
        } finally {
            other.destroyForcibly().waitFor();
        }
        restore(force());
        assertThat(kept).doesNotExist();
        assertThat(lock).doesNotExist();
        assertThat(target.getParent().toFile().list()).containsExactly("app.db");
    }
}
