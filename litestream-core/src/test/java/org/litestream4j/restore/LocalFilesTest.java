package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.file.FileReplicaProvider;
import org.litestream4j.restore.RestoreException.Reason;

/** Commits that lie in the local staging and were not uploaded when the database was lost. */
class LocalFilesTest {

    @TempDir
    Path temp;

    private ReplicaClient replica;
    private ReplicaClient local;
    private ModelReplica model;
    private Path target;

    @BeforeEach
    void captureFiveStatesOfWhichThreeAreUploaded() throws IOException {
        replica = FileReplicaProvider.at(temp.resolve("replica"));
        local = FileReplicaProvider.at(temp.resolve(".app.db-litestream"));
        target = temp.resolve("app.db");
        model = new ModelReplica(local, 1024, 5);
        for (int i = 0; i < 5; i++) {
            model.commit(10 + i, 3);
        }
    }

    private void upload(long... txids) throws IOException {
        Files.createDirectories(temp.resolve("replica/ltx/0"));
        for (long txid : txids) {
            Files.copy(
                    localFile(txid),
                    temp.resolve("replica/ltx/0").resolve(localFile(txid).getFileName()));
        }
    }

    private Path localFile(long txid) {
        return temp.resolve(".app.db-litestream/ltx/0")
                .resolve(ModelReplica.name(txid, txid).toString());
    }

    @AfterEach
    void closeClients() throws IOException {
        replica.close();
        local.close();
    }

    private RestoreResult restore() throws IOException {
        return Restore.restore(
                replica, target, RestoreOptions.builder().local(local).build());
    }

    @Test
    void restore_pendingLocalFiles_areApplied() throws IOException {
        upload(1, 2, 3);
        RestoreResult result = restore();
        assertThat(target).hasBinaryContent(model.latest());
        assertThat(result.localFiles()).isEqualTo(2);
        assertThat(result.files()).isEqualTo(5);
    }

    @Test
    void restore_emptyReplica_isRestoredFromLocalFiles() throws IOException {
        assertThat(restore().localFiles()).isEqualTo(5);
        assertThat(target).hasBinaryContent(model.latest());
    }

    @Test
    void restore_nothingAnywhere_isNoBackup() throws IOException {
        local.delete(0, List.of(ModelReplica.name(1, 1)));
        assertThatThrownBy(this::restore).isInstanceOfSatisfying(RestoreException.class, e -> assertThat(e.reason())
                .isEqualTo(Reason.NO_BACKUP));
    }

    @Test
    void restore_allUploaded_readsNothingLocal() throws IOException {
        upload(1, 2, 3, 4, 5);
        assertThat(restore().localFiles()).isZero();
        assertThat(target).hasBinaryContent(model.latest());
    }

    @Test
    void restore_localHole_isAGapAsCommitsBehindItWouldBeLost() throws IOException {
        upload(1, 2, 3);
        byte[] fourth = Files.readAllBytes(localFile(4));
        Files.delete(localFile(4));
        assertFails(Reason.GAP, "0000000000000004 to 0000000000000004", "0000000000000005", ".app.db-litestream");
        Files.write(localFile(4), fourth);
        assertThat(restore().localFiles()).isEqualTo(2);
        assertThat(target).hasBinaryContent(model.latest());
    }

    @Test
    void restore_localHoleBehindPendingFiles_isAGap() throws IOException {
        upload(1, 2);
        Files.delete(localFile(4));
        assertFails(Reason.GAP, "0000000000000004 to 0000000000000004");
    }

    @Test
    void restore_emptyReplicaAndALocalHole_isAGap() throws IOException {
        Files.delete(localFile(3));
        assertFails(Reason.GAP, "0000000000000003 to 0000000000000003");
    }

    private void assertFails(Reason reason, String... parts) {
        assertThatThrownBy(this::restore).isInstanceOfSatisfying(RestoreException.class, e -> {
            assertThat(e.reason()).isEqualTo(reason);
            assertThat(e.getMessage()).contains(parts);
        });
        assertThat(target).doesNotExist();
    }

    @Test
    void restore_damagedLocalFile_isNotLeftOut() throws IOException {
        upload(1, 2, 3);
        byte[] bytes = Files.readAllBytes(localFile(5));
        bytes[bytes.length - 1] ^= 1;
        Files.write(localFile(5), bytes);
        assertFails(Reason.DAMAGED, localFile(5).getFileName().toString(), "restore TXID 0000000000000004");
    }

    @Test
    void restore_replicaWrittenBySomebodyElse_leavesLocalFilesOut() throws IOException {
        upload(1, 2);
        ModelReplica other = new ModelReplica(replica, 1024, 99);
        byte[] foreign = ModelReplica.encode(other.header(3, 3, 11), new TreeMap<>(Map.of(1L, other.page())));
        other.put(0, 3, 3, foreign);
        assertThat(restore().localFiles()).isZero();
    }

    @Test
    void restore_localCopyOfTheNewestGone_leavesLocalFilesOut() throws IOException {
        upload(1, 2, 3);
        Files.delete(localFile(3));
        assertThat(restore().localFiles()).isZero();
        assertThat(target).hasBinaryContent(model.image(3));
    }
}
