package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.replica.FaultyReplicaClient.Call;
import org.litestream4j.restore.RestoreException.Reason;

/** What happens to the file that is there, and to the access to it. */
class TargetFileTest extends RestoreFixture {

    @Test
    void restore_targetExists_isRefusedAndUntouched() throws IOException {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        Files.writeString(target, "precious");
        assertThatThrownBy(() -> restore(RestoreOptions.defaults()))
                .isInstanceOfSatisfying(
                        RestoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TARGET_EXISTS))
                .hasMessageContaining(target.toString());
        assertThat(target).hasContent("precious");
        assertThat(client.calls(Call.LIST)).isZero();
    }

    @Test
    void restore_targetAppearsMeanwhile_isUntouched() throws IOException {
        model.commit(4, 0);
        client.before(Call.OPEN, 1, () -> Files.writeString(target, "precious"));
        assertThatThrownBy(() -> restore(RestoreOptions.defaults()))
                .isInstanceOfSatisfying(
                        RestoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TARGET_EXISTS));
        assertThat(target).hasContent("precious");
    }

    @Test
    void restore_targetOfZeroBytes_countsAsMissing() throws IOException {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        Files.createFile(target);
        restore(RestoreOptions.defaults());
        assertThat(target).hasBinaryContent(model.latest());
    }

    /** A rename cannot replace it. Skipped where this test cannot mount. */
    @Test
    void restore_targetIsMountedAsASingleFile_isRefusedWithTheRemedy() throws Exception {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        Files.createFile(target);
        Path outside = Files.createFile(temp.resolve("outside.db"));
        assumeTrue(run("mount", "--bind", outside.toString(), target.toString()), "needs the right to mount");
        try {
            assertThatThrownBy(() -> restore(force()))
                    .isInstanceOf(RestoreException.class)
                    .hasMessageContaining("mounted as a single file")
                    .hasMessageContaining("mount the folder");
        } finally {
            assertThat(run("umount", target.toString())).isTrue();
        }
        assertThat(outside).isEmptyFile();
        assertThat(client.calls(Call.LIST)).isZero();
    }

    private static boolean run(String... command) throws Exception {
        try {
            return new ProcessBuilder(command).redirectErrorStream(true).start().waitFor() == 0;
        } catch (IOException e) {
            return false; // no such program
        }
    }

    @Test
    void restore_targetIsAFolder_isRefused() throws IOException {
        model.commit(4, 0);
        Files.createDirectories(target);
        assertThatThrownBy(() -> restore(force()))
                .isInstanceOf(RestoreException.class)
                .hasMessageContaining("folder");
    }

    @Test
    void restore_folderOfTheTargetIsAFile_isRefusedByName() throws IOException {
        model.commit(5, 0);
        Path file = Files.writeString(temp.resolve("file"), "precious");
        for (String name : List.of("app.db", "below/app.db")) {
            assertThatThrownBy(() -> Restore.restore(client, file.resolve(name), force()))
                    .isInstanceOf(RestoreException.class)
                    .hasMessageContaining(file + " is not a folder; name another database file");
        }
        assertThat(file).hasContent("precious");
    }

    @Test
    void restore_force_replacesAndKeepsAccess() throws IOException {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        Files.writeString(target, OLD);
        Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rw-r--r--"));
        restore(force());
        assertThat(target).hasBinaryContent(model.latest());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(target)))
                .isEqualTo("rw-r--r--");
    }

    @Test
    void restore_forceButDamagedReplica_keepsTheOldFile() throws IOException {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        Files.writeString(target, OLD);
        Path wal = Files.writeString(target.resolveSibling("app.db-wal"), "old wal");
        Path file =
                temp.resolve("replica/ltx/0").resolve(ModelReplica.name(1, 1).toString());
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 1] ^= 1;
        Files.write(file, bytes);
        assertThatThrownBy(() -> restore(force())).isInstanceOf(RestoreException.class);
        assertThat(target).hasContent(OLD);
        assertThat(wal).hasContent("old wal");
    }

    @Test
    void restore_newFile_isForItsOwnerOnly() throws IOException {
        model.commit(4, 0);
        restore(RestoreOptions.defaults());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(target)))
                .isEqualTo("rw-------");
    }

    @Test
    void restore_targetIsNoFile_isRefusedAlsoWithForce() throws Exception {
        model.commit(5, 0);
        Files.createDirectories(target.getParent());
        assertThat(new ProcessBuilder("mkfifo", target.toString()).start().waitFor())
                .isZero();
        for (RestoreOptions options : List.of(RestoreOptions.defaults(), force())) {
            assertThatThrownBy(() -> restore(options))
                    .isInstanceOfSatisfying(
                            RestoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TARGET_EXISTS))
                    .hasMessageContaining("is a device, a pipe or a socket");
        }
        assertThat(Files.readAttributes(target, BasicFileAttributes.class).isOther())
                .isTrue();
        assertThat(client.calls(Call.LIST)).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"precious", "x", "SQLite format 2", "random"})
    void restore_forceOverAFileThatIsNoDatabase_isRefused(String content) throws IOException {
        model.commit(4, 0);
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        if (content.equals("random")) {
            bytes = new byte[100_000];
            new Random(3).nextBytes(bytes);
        }
        Files.createDirectories(target.getParent());
        Files.write(target, bytes);
        assertThatThrownBy(() -> restore(force()))
                .isInstanceOfSatisfying(
                        RestoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TARGET_EXISTS))
                .hasMessageContaining("is not an SQLite database")
                .hasMessageContaining(target.toString());
        assertThat(target).hasBinaryContent(bytes);
        assertThat(client.calls(Call.LIST)).isZero();
    }
}
