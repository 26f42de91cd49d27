package org.litestream4j.replica.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaClientContract;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaUpload;

class FileReplicaClientTest extends ReplicaClientContract {

    private static final Instant TIME = Instant.ofEpochMilli(1_700_000_000_123L);

    @TempDir
    Path folder;

    @Override
    protected ReplicaClient newClient() {
        return FileReplicaProvider.at(folder.resolve("deep/replica"));
    }

    private Path level(int level) {
        return folder.resolve("deep/replica/ltx").resolve(Integer.toString(level));
    }

    @Test
    void publish_file_standsWhereTheFormatSaysWithItsTimestamp() throws IOException {
        put(newClient(), 3, name(1, 0x2a), bytes(1), TIME);
        Path file = level(3).resolve("0000000000000001-000000000000002a.ltx");
        assertThat(file).hasBinaryContent(bytes(1));
        assertThat(Files.getLastModifiedTime(file)).isEqualTo(FileTime.from(TIME));
        assertThat(children(level(3))).containsExactly(file);
    }

    /** As a disk or a network file system that loses what it has acknowledged. */
    @Test
    void publish_fileThatLostItsEnd_isNotThere() throws IOException {
        Publisher losing = new Publisher((link, existing) -> {
            Files.createLink(link, existing);
            try (var channel = java.nio.channels.FileChannel.open(link, java.nio.file.StandardOpenOption.WRITE)) {
                channel.truncate(10);
            }
        });
        try (ReplicaClient client = new FileReplicaClient(folder.resolve("deep/replica"), losing)) {
            assertThatThrownBy(() -> put(client, 0, name(1, 1), bytes(1)))
                    .hasMessageContaining("has 10 bytes")
                    .hasMessageContaining("check the disk");
        }
        assertThat(children(level(0))).isEmpty();
        put(newClient(), 0, name(1, 1), bytes(1));
    }

    @Test
    void publish_conflict_leavesNoTemporary() throws IOException {
        ReplicaClient client = newClient();
        put(client, 0, name(1, 1), bytes(1));
        assertThatThrownBy(() -> put(client, 0, name(1, 1), bytes(2))).isInstanceOf(ReplicaConflictException.class);
        try (ReplicaUpload upload = client.write(0, name(2, 2), TIME)) {
            upload.write(1);
            assertThat(children(level(0))).hasSize(2);
        }
        assertThat(children(level(0)))
                .containsExactly(level(0).resolve(name(1, 1).toString()));
    }

    @Test
    void list_foreignNamesAndFolders_areIgnored() throws IOException {
        ReplicaClient client = newClient();
        put(client, 0, name(1, 1), bytes(1));
        Files.createDirectory(level(0).resolve(name(2, 2).toString()));
        Files.createSymbolicLink(level(0).resolve(name(3, 3).toString()), folder.resolve("nowhere"));
        for (String junk : List.of(
                "x",
                ".DS_Store",
                name(4, 4) + ".tmp",
                name(4, 4).toString().toUpperCase(java.util.Locale.ROOT),
                "0000000000000002-0000000000000001.ltx",
                "0000000000000000-0000000000000001.ltx",
                "." + name(5, 5) + ".0123456789abcdef.tmp")) {
            Files.write(level(0).resolve(junk), bytes(1));
        }
        assertThat(list(client, 0)).extracting(LtxFileInfo::name).containsExactly(name(1, 1));
    }

    @Test
    void prepare_leftOverTemporaries_deletesOnlyStaleOnesOfOurs() throws IOException {
        ReplicaClient client = newClient();
        put(client, 2, name(1, 1), bytes(1));
        Path stale = Files.write(level(2).resolve("." + name(5, 5) + ".0123456789abcdef.tmp"), bytes(1));
        Path fresh = Files.write(level(2).resolve("." + name(6, 6) + ".0123456789abcdef.tmp"), bytes(1));
        Path foreign = Files.write(level(2).resolve(name(7, 7) + ".tmp"), bytes(1));
        Path published = level(2).resolve(name(1, 1).toString());
        FileTime old =
                FileTime.from(Instant.now().minus(FileReplicaClient.STALE).minusSeconds(60));
        Files.setLastModifiedTime(stale, old);
        Files.setLastModifiedTime(foreign, old);
        Files.setLastModifiedTime(published, old);
        client.prepare();
        assertThat(children(level(2))).containsExactlyInAnyOrder(fresh, foreign, published);
    }

    /** A process that is killed again and again during its first upload leaves one image each time. */
    @Test
    void prepare_temporariesOfKilledProcesses_areDeletedSoonAndThoseOfRunningUploadsAreKept() throws IOException {
        ReplicaClient client = newClient();
        put(client, 2, name(1, 1), bytes(1));
        FileTime settled =
                FileTime.from(Instant.now().minus(FileReplicaClient.SETTLED).minusSeconds(1));
        Path killed = Files.write(level(2).resolve("." + name(5, 5) + ".0123456789abcdef.tmp"), bytes(1));
        Files.setLastModifiedTime(killed, settled);
        try (ReplicaUpload running = newClient().write(2, name(6, 6), Instant.now())) {
            running.write(bytes(100));
            for (Path each : children(level(2))) {
                Files.setLastModifiedTime(each, settled);
            }
            client.prepare();
            assertThat(children(level(2))).hasSize(2).doesNotContain(killed);
            running.publish();
        }
    }

    @Test
    void prepare_fileInTheWay_isRefusedByName() throws IOException {
        Path file = Files.createFile(folder.resolve("deep"));
        assertThatThrownBy(() -> newClient().prepare())
                .isInstanceOf(ReplicaAccessException.class)
                .hasMessageContaining(file.toString());
    }

    @Test
    void write_fileInTheWay_isRefusedByNameWithARemedy() throws IOException {
        Path file = Files.createFile(folder.resolve("deep"));
        assertThatThrownBy(() -> newClient().write(0, name(1, 1), Instant.now()))
                .isInstanceOf(ReplicaAccessException.class)
                .hasMessageContaining("there is a file in place of the folder " + file)
                .hasMessageContaining("remove it or change the URL");
    }

    @Test
    void prepare_folderThatCannotBeMade_isRefused() {
        ReplicaClient client = FileReplicaProvider.at(Path.of("/proc/litestream4j"));
        assertThatThrownBy(client::prepare)
                .isInstanceOf(ReplicaAccessException.class)
                .hasMessageContaining("/proc/litestream4j");
    }

    @Test
    void read_fileCutMeanwhile_failsInsteadOfEnding() throws IOException {
        ReplicaClient client = newClient();
        put(client, 0, name(1, 1), bytes(1));
        try (InputStream in = client.open(0, name(1, 1), 0, ReplicaClient.TO_END)) {
            in.read();
            Files.write(level(0).resolve(name(1, 1).toString()), new byte[10]);
            assertThatThrownBy(in::readAllBytes).isInstanceOf(IOException.class);
        }
    }

    @Test
    void publish_withoutHardLinks_movesAndStillRefusesOtherContent() throws IOException {
        for (Exception unsupported : List.of(
                new UnsupportedOperationException("no links"), new FileSystemException("x", null, "not permitted"))) {
            ReplicaClient client = withoutLinks(unsupported);
            put(client, 1, name(1, 1), bytes(1), TIME);
            put(client, 1, name(1, 1), bytes(1), TIME);
            assertThatThrownBy(() -> put(client, 1, name(1, 1), bytes(2))).isInstanceOf(ReplicaConflictException.class);
            assertThat(read(client, 1, name(1, 1), 0, ReplicaClient.TO_END)).isEqualTo(bytes(1));
            assertThat(children(level(1))).hasSize(1);
        }
    }

    private ReplicaClient withoutLinks(Exception unsupported) {
        return new FileReplicaClient(folder.resolve("deep/replica"), new Publisher((link, existing) -> {
            if (unsupported instanceof IOException e) {
                throw e;
            }
            throw (RuntimeException) unsupported;
        }));
    }

    private static List<Path> children(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }
}
