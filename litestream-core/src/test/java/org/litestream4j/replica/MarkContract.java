package org.litestream4j.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.ReplicaClientContract.bytes;
import static org.litestream4j.replica.ReplicaClientContract.list;
import static org.litestream4j.replica.ReplicaClientContract.name;
import static org.litestream4j.replica.ReplicaClientContract.put;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.Txid;

/** The part of {@link ReplicaClientContract} about marks. */
interface MarkContract extends ContractClients {

    private static Mark mark(String name, long txid) {
        return new Mark(name, new Txid(txid), Instant.ofEpochMilli(1_700_000_000_123L), Instant.EPOCH, null);
    }

    private static List<String> names(MarkStore store) throws Exception {
        return store.list().stream().map(MarkStore.Stored::name).toList();
    }

    @Test
    default void marks_areCreatedReadListedAndRemoved() throws Exception {
        MarkStore store = client().marks().orElseThrow();
        assertThat(store.list()).isEmpty();
        assertThat(store.read("none")).isEmpty();
        assertThat(store.remove("none")).isFalse();
        String longest = "m" + "x".repeat(63);
        for (String each : List.of("before-migration-42", longest, "v1.2_3")) {
            assertThat(store.create(each, mark(each, 7).encode())).isTrue();
        }
        assertThat(names(store)).containsExactly("before-migration-42", longest, "v1.2_3");
        Mark read = Mark.decode("v1.2_3", store.read("v1.2_3").orElseThrow());
        assertThat(read).isEqualTo(mark("v1.2_3", 7));
        assertThat(store.remove("v1.2_3")).isTrue();
        assertThat(store.remove("v1.2_3")).isFalse();
        assertThat(names(store)).containsExactly("before-migration-42", longest);
    }

    @Test
    default void marks_areSeenByOtherClients_andNotListedAsFiles() throws Exception {
        ReplicaClient client = client();
        put(client, 0, name(1, 1), bytes(1));
        assertThat(client.marks().orElseThrow().create("m", mark("m", 1).encode()))
                .isTrue();
        ReplicaClient other = unpreparedClient();
        assertThat(names(other.marks().orElseThrow())).containsExactly("m");
        List<LtxFileInfo> all = new ArrayList<>();
        other.listAll(ReplicaClient.FROM_THE_FIRST, all::add);
        assertThat(all).extracting(LtxFileInfo::name).containsExactly(name(1, 1));
        for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
            assertThat(list(other, level)).hasSize(level == 0 ? 1 : 0);
        }
    }

    @Test
    default void mark_createdAgainAfterItsRemoval_hasAnotherVersion() throws Exception {
        MarkStore store = client().marks().orElseThrow();
        store.create("m", mark("m", 1).encode());
        List<MarkStore.Stored> first = store.list();
        store.remove("m");
        assertThat(store.create("m", mark("m", 2).encode())).isTrue();
        assertThat(store.list()).isNotEqualTo(first);
        assertThat(Mark.decode("m", store.read("m").orElseThrow()).txid()).isEqualTo(new Txid(2));
    }

    @Test
    default void existingMark_isNotReplaced() throws Exception {
        MarkStore store = client().marks().orElseThrow();
        assertThat(store.create("m", mark("m", 1).encode())).isTrue();
        assertThat(store.create("m", mark("m", 1).encode())).isFalse();
        assertThat(store.create("m", mark("m", 2).encode())).isFalse();
        assertThat(Mark.decode("m", store.read("m").orElseThrow()).txid()).isEqualTo(new Txid(1));
    }

    @Test
    default void twoWritersAtOnce_oneOfThemSetsTheMark() throws Exception {
        List<MarkStore> stores =
                List.of(client().marks().orElseThrow(), client().marks().orElseThrow());
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            for (int round = 0; round < 10; round++) {
                String name = "round-" + round;
                CyclicBarrier barrier = new CyclicBarrier(2);
                List<Future<Boolean>> created = new ArrayList<>();
                for (int writer = 0; writer < 2; writer++) {
                    MarkStore store = stores.get(writer);
                    Mark mark = mark(name, writer + 1);
                    created.add(threads.submit(() -> {
                        barrier.await();
                        return store.create(name, mark.encode());
                    }));
                }
                boolean first = created.get(0).get();
                boolean second = created.get(1).get();
                assertThat(first ^ second)
                        .as("%s: %s and %s", name, first, second)
                        .isTrue();
                Txid winner = Mark.decode(name, stores.get(0).read(name).orElseThrow())
                        .txid();
                assertThat(winner).isEqualTo(new Txid(first ? 1 : 2));
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    default void badNames_areRefused() throws Exception {
        MarkStore store = client().marks().orElseThrow();
        for (String bad : List.of("", ".hidden", "-option", "a/b", "../x", "a b", "ä", "m" + "x".repeat(64), "a\nb")) {
            assertThatThrownBy(() -> store.create(bad, new byte[1]))
                    .as("\"%s\"", bad)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("1 to 64 letters");
            assertThatThrownBy(() -> store.remove(bad)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
