package org.litestream4j.internal.pages;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.FaultyReplicaClient;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.file.FileReplicaProvider;
import org.litestream4j.restore.ModelReplica;

/** A replica of a model in a folder, a client of it whose calls can fail, and the pages that readers see of it. */
abstract class PagesFixture {

    static final int PAGE = 512;

    static final Duration TIMEOUT = Duration.ofSeconds(20);

    @TempDir
    Path temp;

    ReplicaClient files;
    FaultyReplicaClient client;
    ModelReplica model;
    ReplicaPages pages;

    @BeforeEach
    void openReplica() {
        files = FileReplicaProvider.at(temp.resolve("replica"));
        model = new ModelReplica(files, PAGE, 7);
    }

    @AfterEach
    void closePages() throws IOException {
        if (pages != null) {
            pages.close();
        }
        Awaitility.await()
                .untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet())
                        .filteredOn(thread -> thread.getName().startsWith("litestream-pages"))
                        .isEmpty());
        files.close();
    }

    ReplicaPages open(PagesOptions.Builder options) {
        client = new FaultyReplicaClient(FileReplicaProvider.at(temp.resolve("replica")));
        pages = ReplicaPages.open(client, options.build());
        return pages;
    }

    static PagesOptions.Builder options() {
        return PagesOptions.builder()
                .pollInterval(Duration.ofMillis(10))
                .deadline(Duration.ofSeconds(2))
                .cacheSize(4 << 20);
    }

    /** Deletes the files of a level whose last transaction is not after a TXID. */
    void delete(int level, long to) throws IOException {
        List<LtxFileName> names = new ArrayList<>();
        files.list(level, Txid.NONE, file -> {
            if (!file.maxTxid().isAfter(new Txid(to))) {
                names.add(file.name());
            }
            return true;
        });
        files.delete(level, names);
    }

    static byte[] all(PageSource source) throws IOException {
        PinnedState state = source.pin();
        try {
            return all(state);
        } finally {
            state.release();
        }
    }

    static byte[] all(PinnedState state) throws IOException {
        int size = Math.toIntExact(state.info().pageCount() * state.info().pageSize());
        byte[] bytes = new byte[size];
        int pageSize = state.info().pageSize();
        for (int at = 0; at < size; at += pageSize) {
            ByteBuffer target = ByteBuffer.wrap(bytes, at, pageSize);
            assertThat(state.read(at, target)).isEqualTo(pageSize);
        }
        return bytes;
    }

    /** Reads in random pieces and compares with what is there. */
    static void assertPieces(PinnedState state, byte[] expected, Random random, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            int at = random.nextInt(expected.length + 100);
            ByteBuffer target =
                    ByteBuffer.allocate(1 + random.nextInt(3 * state.info().pageSize()));
            int read = state.read(at, target);
            int there = Math.max(0, Math.min(target.capacity(), expected.length - at));
            assertThat(read).isEqualTo(there);
            assertThat(target.flip()).isEqualTo(ByteBuffer.wrap(expected, Math.min(at, expected.length), there));
        }
    }

    static void assertNewest(PageSource source, byte[] expected, long txid) {
        Awaitility.await().atMost(TIMEOUT).until(() -> source.latest().txid().equals(new Txid(txid)));
        try {
            assertThat(all(source)).isEqualTo(expected);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
