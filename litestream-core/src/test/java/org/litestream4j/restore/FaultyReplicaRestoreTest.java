package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.replica.FaultyReplicaClient;
import org.litestream4j.replica.FaultyReplicaClient.Call;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.file.FileReplicaProvider;
import org.litestream4j.restore.RestoreException.Reason;

/** Requests fail, and files vanish or change, while they are read. */
class FaultyReplicaRestoreTest extends RestoreFixture {

    @Test
    void restore_filesVanishOnceMerged_plansAgain() throws IOException {
        model.commit(40, 0);
        for (int i = 0; i < 8; i++) {
            model.commit(40 + i, 6);
        }
        client.before(Call.OPEN, 4, () -> {
            model.merge(0, 1, 1, 8);
            for (long txid = 1; txid <= 8; txid++) {
                files.delete(0, List.of(ModelReplica.name(txid, txid)));
            }
        });
        RestoreResult result = restore(RestoreOptions.defaults());
        assertThat(target).hasBinaryContent(model.latest());
        assertThat(result.files()).isEqualTo(2);
        assertThat(client.calls(Call.LIST)).isEqualTo(20);
    }

    @Test
    void restore_filesVanishAgainAndAgain_givesUp() throws IOException {
        model.commit(4, 0);
        model.commit(4, 1);
        for (int i = 1; i <= 30; i++) {
            client.before(Call.OPEN, i, () -> files.delete(0, List.of(ModelReplica.name(1, 1))));
            client.before(Call.LIST, i * 10 - 9, () -> {
                try {
                    model.put(0, 1, 1, model.snapshotBytes(1));
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
        }
        files.delete(0, List.of(ModelReplica.name(1, 1)));
        assertFails(() -> restore(RestoreOptions.defaults()), Reason.VANISHED, "0000000000000001");
    }

    @Test
    void restore_brokenConnections_goOnAtTheByte() throws IOException {
        model.commit(200, 0);
        model.commit(200, 20);
        client.breakStream(1, 777)
                .breakStream(2, 5000)
                .breakStream(3, 0)
                .breakStream(4, 1)
                .readShort(3);
        RestoreResult result = restore(RestoreOptions.defaults());
        assertThat(target).hasBinaryContent(model.latest());
        assertThat(client.calls(Call.OPEN)).isEqualTo(2 + 4);
        assertThat(client.bytesRead()).isEqualTo(result.bytesRead()).isEqualTo(size(0, 1) + size(0, 2));
    }

    @Test
    void restore_requestsFailAtRandom_stillExact() throws IOException {
        model.commit(300, 0);
        for (int i = 0; i < 5; i++) {
            model.commit(300, 30);
        }
        for (long seed = 1; seed <= 3; seed++) {
            FaultyReplicaClient faulty = new FaultyReplicaClient(files);
            for (int i = 2; i < 60; i += 2 + (int) seed) {
                faulty.failBefore(Call.OPEN, i);
            }
            new RestoreJob(faulty, target, force(), 4000).run();
            assertThat(target).as("seed %d", seed).hasBinaryContent(model.latest());
        }
    }

    @Test
    @Tag("slow") // it waits some seconds before it gives up
    void restore_replicaStaysUnreachable_failsWithItsError() throws IOException {
        model.commit(4, 0);
        for (int i = 1; i <= 20; i++) {
            client.failBefore(Call.OPEN, i);
        }
        assertThatThrownBy(() -> restore(RestoreOptions.defaults()))
                .isInstanceOf(IOException.class)
                .hasMessage("fault before OPEN");
        assertThat(target).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(longs = {1_500, 1_000_000})
    void restore_fileReplacedWhileItIsRead_isReadFromItsBeginning(long partSize) throws IOException {
        model.commit(300, 0);
        model.commit(300, 20);
        Path file =
                temp.resolve("replica/ltx/0").resolve(ModelReplica.name(1, 1).toString());
        ModelReplica other = new ModelReplica(FileReplicaProvider.at(temp.resolve("other")), PAGE, 8);
        other.commit(300, 0);
        Path replacement =
                temp.resolve("other/ltx/0").resolve(file.getFileName().toString());
        byte[] expected = model.latest().clone();
        SortedMap<Long, byte[]> changed = pagesOf(2);
        for (int i = 0; i < 300; i++) {
            byte[] page = changed.get(i + 1L);
            System.arraycopy(
                    page == null ? other.image(1) : page, page == null ? i * PAGE : 0, expected, i * PAGE, PAGE);
        }
        client.breakStream(partSize > 10_000 ? 2 : 5, 700);
        client.before(
                Call.OPEN,
                partSize > 10_000 ? 3 : 7,
                () -> Files.move(
                        replacement, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING));
        new RestoreJob(client, target, RestoreOptions.builder().parallelism(1).build(), partSize).run();
        assertThat(target).hasBinaryContent(expected);
    }

    private SortedMap<Long, byte[]> pagesOf(long txid) throws IOException {
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        try (LtxReader reader =
                LtxReader.open(files.open(0, ModelReplica.name(txid, txid), 0, ReplicaClient.TO_END), "file")) {
            while (reader.next()) {
                pages.put(reader.pgno(), reader.page().clone());
            }
        }
        return pages;
    }
}
