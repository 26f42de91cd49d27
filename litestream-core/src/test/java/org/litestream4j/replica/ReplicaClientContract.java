package org.litestream4j.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;

/** What every {@link ReplicaClient} must do; each backend extends it. */
public abstract class ReplicaClientContract
        implements ListingContract,
                PublishingContract,
                ReadingContract,
                LargeFileContract,
                DeletingContract,
                MarkContract {

    static final Instant TIME = Instant.ofEpochMilli(1_700_000_000_123L);

    static final int LARGE = 20 * 1024 * 1024;

    static final long SEED = 20260101;

    private final List<ReplicaClient> clients = new ArrayList<>();

    /**
     * Makes a client of this test's replica, which is empty when the test begins; several clients of one test see the
     * same files. The contract closes them.
     */
    protected abstract ReplicaClient newClient() throws Exception;

    @Override
    public ReplicaClient unpreparedClient() throws Exception {
        ReplicaClient client = newClient();
        clients.add(client);
        return client;
    }

    @Override
    public ReplicaClient client() throws Exception {
        ReplicaClient client = unpreparedClient();
        client.prepare();
        return client;
    }

    @AfterEach
    void closeClients() throws IOException {
        for (ReplicaClient client : clients) {
            client.close();
        }
    }

    @Test
    void prepare_repeated_succeeds() throws Exception {
        ReplicaClient client = client();
        client.prepare();
        assertThat(list(client, 0)).isEmpty();
    }

    @Test
    void url_anyClient_isNotEmpty() throws Exception {
        assertThat(client().url()).isNotBlank();
    }

    @Test
    void concurrentUse_writersReadersAndListings_doNotDisturbEachOther() throws Exception {
        ReplicaClient client = client();
        int files = 40;
        List<Callable<Boolean>> tasks = new ArrayList<>();
        for (int i = 1; i <= files; i++) {
            int number = i;
            tasks.add(() -> {
                put(client, 0, name(number, number), bytes(number));
                List<LtxFileInfo> seen = list(client, 0);
                return seen.stream().anyMatch(file -> file.name().equals(name(number, number)))
                        && Arrays.equals(read(client, 0, name(number, number), 0, ReplicaClient.TO_END), bytes(number));
            });
        }
        assertThat(inParallel(tasks)).containsOnly(true);
        assertThat(list(client, 0)).hasSize(files);
    }

    @Test
    void close_repeated_isHarmlessAndEndsUse() throws Exception {
        ReplicaClient client = client();
        put(client, 0, name(1, 1), bytes(1));
        client.close();
        client.close();
        assertThatThrownBy(() -> read(client, 0, name(1, 1), 0, ReplicaClient.TO_END))
                .isInstanceOf(Exception.class);
        assertThat(list(client(), 0)).hasSize(1);
    }

    @Test
    void levels_outOfRange_areRefused() throws Exception {
        ReplicaClient client = client();
        for (int level : new int[] {-1, ReplicaClient.SNAPSHOT_LEVEL + 1}) {
            assertThatThrownBy(() -> list(client, level)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> client.open(level, name(1, 1), 0, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> client.write(level, name(1, 1), TIME))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> client.delete(level, List.of(name(1, 1))))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    /** A file name by its TXIDs. */
    protected static LtxFileName name(long min, long max) {
        return new LtxFileName(new Txid(min), new Txid(max));
    }

    /** Some hundred bytes, different for each number. */
    protected static byte[] bytes(int number) {
        byte[] bytes = new byte[500 + number % 97];
        new Random(SEED + number).nextBytes(bytes);
        return bytes;
    }

    protected static LtxFileInfo put(ReplicaClient client, int level, LtxFileName name, byte[] content)
            throws IOException {
        return put(client, level, name, content, TIME);
    }

    protected static LtxFileInfo put(
            ReplicaClient client, int level, LtxFileName name, byte[] content, Instant timestamp) throws IOException {
        try (ReplicaUpload upload = client.write(level, name, timestamp)) {
            upload.write(content);
            return upload.publish();
        }
    }

    protected static byte[] read(ReplicaClient client, int level, LtxFileName name, long offset, long length)
            throws IOException {
        try (InputStream in = client.open(level, name, offset, length)) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            in.transferTo(out);
            return out.toByteArray();
        }
    }

    protected static List<LtxFileInfo> list(ReplicaClient client, int level) throws IOException {
        List<LtxFileInfo> files = new ArrayList<>();
        client.list(level, Txid.NONE, files::add);
        return files;
    }

    static <T> List<T> inParallel(List<Callable<T>> tasks) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(Math.min(16, tasks.size()));
        try {
            List<T> results = new ArrayList<>();
            for (Future<T> future : executor.invokeAll(tasks, 60, TimeUnit.SECONDS)) {
                results.add(future.get());
            }
            return results;
        } finally {
            executor.shutdown();
        }
    }
}
