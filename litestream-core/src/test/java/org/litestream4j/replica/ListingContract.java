package org.litestream4j.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.ReplicaClientContract.bytes;
import static org.litestream4j.replica.ReplicaClientContract.list;
import static org.litestream4j.replica.ReplicaClientContract.name;
import static org.litestream4j.replica.ReplicaClientContract.put;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;

/** The part of {@link ReplicaClientContract} about listings. */
interface ListingContract extends ContractClients {

    @Test
    default void list_emptyReplica_listsNothing() throws Exception {
        ReplicaClient client = client();
        for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
            assertThat(list(client, level)).isEmpty();
        }
    }

    @Test
    default void list_replicaNeverPrepared_listsNothing() throws Exception {
        ReplicaClient client = unpreparedClient();
        assertThat(list(client, 0)).isEmpty();
    }

    @Test
    default void list_filesWrittenInAnyOrder_listsByFirstThenLastTransaction() throws Exception {
        ReplicaClient client = client();
        List<LtxFileName> sorted = List.of(
                name(1, 1),
                name(1, 0x20),
                name(2, 3),
                name(2, 0x10),
                name(0x10, 0x10),
                name(Long.MAX_VALUE, Long.MAX_VALUE),
                name(Long.MIN_VALUE, -1L)); // unsigned
        for (int i : new int[] {4, 1, 6, 0, 3, 2, 5}) {
            put(client, 1, sorted.get(i), bytes(i));
        }
        assertThat(list(client, 1)).extracting(LtxFileInfo::name).isEqualTo(sorted);
        assertThat(list(client, 0)).isEmpty();
        assertThat(list(client, 2)).isEmpty();
    }

    @Test
    default void list_fromTxid_leavesOutFilesThatBeginBefore() throws Exception {
        ReplicaClient client = client();
        put(client, 9, name(1, 9), bytes(1));
        put(client, 9, name(4, 7), bytes(2));
        put(client, 9, name(5, 5), bytes(3));
        List<LtxFileInfo> files = new ArrayList<>();
        client.list(9, new Txid(4), files::add);
        assertThat(files).extracting(LtxFileInfo::name).containsExactly(name(4, 7), name(5, 5));
        client.list(9, new Txid(6), file -> {
            throw new AssertionError("listed " + file);
        });
    }

    @Test
    default void listAll_filesOfSeveralLevels_listsLevelByLevelFromWhereItIsTold() throws Exception {
        ReplicaClient client = client();
        for (int level : new int[] {9, 3, 0, 1}) {
            for (int i = 5; i >= 1; i--) {
                put(client, level, name(i, i + level), bytes(i));
            }
        }
        List<Txid> from = new ArrayList<>(ReplicaClient.FROM_THE_FIRST);
        from.set(0, new Txid(5));
        from.set(3, new Txid(6));
        from.set(9, new Txid(4));
        List<LtxFileInfo> files = new ArrayList<>();
        client.listAll(from, files::add);
        List<LtxFileInfo> expected = new ArrayList<>();
        for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
            client.list(level, from.get(level), expected::add);
        }
        assertThat(files).isEqualTo(expected).hasSize(1 + 5 + 0 + 2);
    }

    @Test
    default void listAll_visitorHasEnough_stops() throws Exception {
        ReplicaClient client = client();
        put(client, 0, name(1, 1), bytes(1));
        put(client, 0, name(2, 2), bytes(2));
        put(client, 9, name(1, 1), bytes(3));
        List<LtxFileInfo> files = new ArrayList<>();
        client.listAll(ReplicaClient.FROM_THE_FIRST, file -> {
            files.add(file);
            return files.size() < 2;
        });
        assertThat(files).extracting(LtxFileInfo::name).containsExactly(name(1, 1), name(2, 2));
    }

    @Test
    default void list_visitorHasEnough_stops() throws Exception {
        ReplicaClient client = client();
        for (int i = 1; i <= 5; i++) {
            put(client, 0, name(i, i), bytes(i));
        }
        List<LtxFileInfo> files = new ArrayList<>();
        client.list(0, Txid.NONE, file -> {
            files.add(file);
            return files.size() < 2;
        });
        assertThat(files).extracting(LtxFileInfo::name).containsExactly(name(1, 1), name(2, 2));
    }

    @Test
    default void list_visitorFails_throwsItsException() throws Exception {
        ReplicaClient client = client();
        put(client, 0, name(1, 1), bytes(1));
        IOException failure = new IOException("from the visitor");
        assertThatThrownBy(() -> client.list(0, Txid.NONE, file -> {
                    throw failure;
                }))
                .isSameAs(failure);
    }
}
