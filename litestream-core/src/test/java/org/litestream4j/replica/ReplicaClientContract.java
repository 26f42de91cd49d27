package org.litestream4j.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;

/** What every {@link ReplicaClient} must do; each backend extends it. */
public abstract class ReplicaClientContract {

    private static final Instant TIME = Instant.ofEpochMilli(1_700_000_000_123L);

    private static final int LARGE = 20 * 1024 * 1024;

    private static final long SEED = 20260101;

    private final List<ReplicaClient> clients = new ArrayList<>();

    /**
     * Makes a client of this test's replica, which is empty when the test begins; several clients of one test see the
     * same files. The contract closes them.
     */
    protected abstract ReplicaClient newClient() throws Exception;

    private ReplicaClient client() throws Exception {
        ReplicaClient client = newClient();
        clients.add(client);
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
    void list_emptyReplica_listsNothing() throws Exception {
        ReplicaClient client = client();
        for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
            assertThat(list(client, level)).isEmpty();
        }
    }

    @Test
    void list_replicaNeverPrepared_listsNothing() throws Exception {
        ReplicaClient client = newClient();
        clients.add(client);
        assertThat(list(client, 0)).isEmpty();
    }

    @Test
    void list_filesWrittenInAnyOrder_listsByFirstThenLastTransaction() throws Exception {
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
    void list_fromTxid_leavesOutFilesThatBeginBefore() throws Exception {
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
    void listAll_filesOfSeveralLevels_listsLevelByLevelFromWhereItIsTold() throws Exception {
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
    void listAll_visitorHasEnough_stops() throws Exception {
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
    void list_visitorHasEnough_stops() throws Exception {
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
    void list_visitorFails_throwsItsException() throws Exception {
        ReplicaClient client = client();
        put(client, 0, name(1, 1), bytes(1));
        IOException failure = new IOException("from the visitor");
        assertThatThrownBy(() -> client.list(0, Txid.NONE, file -> {
                    throw failure;
                }))
                .isSameAs(failure);
    }

    @Test
    void publish_file_isListedWithSizeAndTimestamp() throws Exception {
        ReplicaClient client = client();
        LtxFileInfo published = put(client, 3, name(7, 12), bytes(100));
        assertThat(published.level()).isEqualTo(3);
        assertThat(published.name()).isEqualTo(name(7, 12));
        assertThat(published.size()).isEqualTo(bytes(100).length);
        assertThat(client.timestamp(published)).isEqualTo(TIME);
        List<LtxFileInfo> listed = list(client(), 3);
        assertThat(listed).hasSize(1);
        assertThat(listed.get(0).size()).isEqualTo(bytes(100).length);
        assertThat(listed.get(0).name()).isEqualTo(name(7, 12));
    }

    @Test
    void timestamp_variousMoments_areExactToTheMillisecond() throws Exception {
        ReplicaClient writer = client();
        List<Instant> times = List.of(
                Instant.ofEpochMilli(1),
                Instant.ofEpochMilli(1_700_000_000_000L),
                Instant.ofEpochMilli(1_700_000_000_001L),
                Instant.ofEpochMilli(1_700_000_000_910L),
                Instant.ofEpochMilli(1_799_999_999_999L));
        for (int i = 0; i < times.size(); i++) {
            put(writer, 0, name(i + 1, i + 1), bytes(i), times.get(i));
        }
        ReplicaClient reader = client();
        List<Instant> seen = new ArrayList<>();
        for (LtxFileInfo file : list(reader, 0)) {
            if (file.exact()) {
                assertThat(file.timestamp()).isEqualTo(reader.timestamp(file));
            }
            seen.add(reader.timestamp(file));
        }
        assertThat(seen).isEqualTo(times);
    }

    @Test
    void publish_notCalled_leavesNothing() throws Exception {
        ReplicaClient client = client();
        try (ReplicaUpload upload = client.write(0, name(1, 1), TIME)) {
            upload.write(bytes(1));
        }
        assertThat(list(client, 0)).isEmpty();
        assertThatThrownBy(() -> read(client, 0, name(1, 1), 0, ReplicaClient.TO_END))
                .isInstanceOf(ReplicaFileNotFoundException.class);
        put(client, 0, name(1, 1), bytes(2)); // and nothing is in the way
    }

    @Test
    void openFile_tellsTheDatabaseChecksumThatWasWritten() throws Exception {
        ReplicaClient client = client();
        byte[] large = new byte[LARGE];
        new Random(SEED).nextBytes(large);
        try (ReplicaUpload upload = client.write(9, name(1, 1), TIME, OptionalLong.of(0x8000_0000_0000_00abL))) {
            upload.write(large);
            upload.publish();
        }
        try (ReplicaUpload upload = client.write(0, name(2, 2), TIME, OptionalLong.of(-1))) {
            upload.write(bytes(300));
            upload.publish();
        }
        put(client, 0, name(3, 3), bytes(300));
        ReplicaClient reader = client();
        for (long offset : new long[] {0, 1000, LARGE - 8}) {
            assertTold(reader, 9, name(1, 1), offset, OptionalLong.of(0x8000_0000_0000_00abL));
        }
        assertTold(reader, 0, name(2, 2), 0, OptionalLong.of(-1));
        assertTold(reader, 0, name(2, 2), 10, OptionalLong.of(-1));
        assertTold(reader, 0, name(3, 3), 0, OptionalLong.empty());
        assertThat(read(reader, 0, name(2, 2), 0, ReplicaClient.TO_END)).isEqualTo(bytes(300));
        assertThatThrownBy(() -> reader.openFile(0, name(4, 4), 0, ReplicaClient.TO_END))
                .isInstanceOf(ReplicaFileNotFoundException.class);
    }

    private static void assertTold(
            ReplicaClient client, int level, LtxFileName name, long offset, OptionalLong expected) throws IOException {
        try (OpenedFile file = client.openFile(level, name, offset, 100)) {
            assertThat(file.databaseChecksum()).isEqualTo(expected);
            assertThat(file.content().read()).isNotNegative();
        }
    }

    @Test
    void write_unpublished_isInvisible() throws Exception {
        ReplicaClient client = client();
        try (ReplicaUpload upload = client.write(0, name(1, 1), TIME)) {
            upload.write(bytes(1));
            upload.flush();
            assertThat(list(client(), 0)).isEmpty();
            upload.publish();
            assertThat(list(client(), 0)).hasSize(1);
        }
        assertThat(list(client, 0)).hasSize(1); // closing does not take it back
    }

    @Test
    void close_uploadRepeated_isHarmless() throws Exception {
        ReplicaClient client = client();
        ReplicaUpload upload = client.write(0, name(1, 1), TIME);
        upload.write(1);
        upload.publish();
        upload.close();
        upload.close();
        assertThat(read(client, 0, name(1, 1), 0, ReplicaClient.TO_END)).containsExactly(1);
    }

    @Test
    void publish_singleBytesAndSlices_keepsThemInOrder() throws Exception {
        ReplicaClient client = client();
        byte[] content = bytes(77);
        try (ReplicaUpload upload = client.write(0, name(1, 1), TIME)) {
            upload.write(content[0]);
            upload.write(content, 1, 10);
            upload.write(content, 11, 0);
            upload.write(content[11]);
            upload.write(content, 12, content.length - 12);
            upload.publish();
        }
        assertThat(read(client, 0, name(1, 1), 0, ReplicaClient.TO_END)).isEqualTo(content);
    }

    @Test
    void publish_emptyFile_isEmpty() throws Exception {
        ReplicaClient client = client();
        put(client, 0, name(1, 1), new byte[0]);
        assertThat(list(client, 0)).extracting(LtxFileInfo::size).containsExactly(0L);
        assertThat(read(client, 0, name(1, 1), 0, ReplicaClient.TO_END)).isEmpty();
    }

    @Test
    void publish_sameContentAgain_succeeds() throws Exception {
        ReplicaClient client = client();
        put(client, 0, name(1, 1), bytes(5));
        LtxFileInfo again = put(client(), 0, name(1, 1), bytes(5));
        assertThat(again.size()).isEqualTo(bytes(5).length);
        assertThat(list(client, 0)).hasSize(1);
        assertThat(read(client, 0, name(1, 1), 0, ReplicaClient.TO_END)).isEqualTo(bytes(5));
    }

    @Test
    void publish_otherContent_conflictsAndKeepsTheFirst() throws Exception {
        ReplicaClient client = client();
        put(client, 0, name(1, 1), bytes(5));
        byte[] sameSize = bytes(5);
        sameSize[sameSize.length / 2] ^= 1;
        byte[] longer = Arrays.copyOf(bytes(5), bytes(5).length + 1);
        byte[] shorter = Arrays.copyOf(bytes(5), bytes(5).length - 1);
        for (byte[] other : List.of(sameSize, longer, shorter)) {
            assertThatThrownBy(() -> put(client(), 0, name(1, 1), other))
                    .isInstanceOf(ReplicaConflictException.class)
                    .hasMessageContaining(name(1, 1).toString());
            assertThat(read(client, 0, name(1, 1), 0, ReplicaClient.TO_END)).isEqualTo(bytes(5));
        }
        assertThat(list(client, 0)).hasSize(1);
    }

    @Test
    void publish_sixteenRacingWriters_haveExactlyOneWinner() throws Exception {
        int writers = 16;
        ReplicaClient first = client();
        ReplicaClient second = client();
        CyclicBarrier barrier = new CyclicBarrier(writers);
        List<Callable<Boolean>> tasks = new ArrayList<>();
        for (int i = 0; i < writers; i++) {
            byte[] content = bytes(1000 + i);
            ReplicaClient client = i % 2 == 0 ? first : second;
            tasks.add(() -> {
                try (ReplicaUpload upload = client.write(0, name(1, 1), TIME)) {
                    upload.write(content);
                    barrier.await(30, TimeUnit.SECONDS);
                    upload.publish();
                    return true;
                } catch (ReplicaConflictException e) {
                    return false;
                }
            });
        }
        List<Boolean> won = inParallel(tasks);
        assertThat(won).containsOnlyOnce(true);
        assertThat(read(first, 0, name(1, 1), 0, ReplicaClient.TO_END)).isEqualTo(bytes(1000 + won.indexOf(true)));
        assertThat(list(first, 0)).hasSize(1);
    }

    @Test
    void open_ranges_giveExactlyThoseBytes() throws Exception {
        ReplicaClient client = client();
        byte[] content = bytes(300);
        int size = content.length;
        put(client, 0, name(1, 1), content);
        int[][] ranges = {
            {0, size}, {0, 1}, {0, 0}, {1, 1}, {5, 100}, {size - 1, 1}, {size / 2, size / 2}, {size - 16, 16}
        };
        for (int[] range : ranges) {
            assertThat(read(client, 0, name(1, 1), range[0], range[1]))
                    .as("offset %d, length %d", range[0], range[1])
                    .isEqualTo(Arrays.copyOfRange(content, range[0], range[0] + range[1]));
        }
        assertThat(read(client, 0, name(1, 1), 7, ReplicaClient.TO_END))
                .isEqualTo(Arrays.copyOfRange(content, 7, size));
    }

    @Test
    void open_rangeBeyondTheEnd_isCut() throws Exception {
        ReplicaClient client = client();
        byte[] content = bytes(300);
        int size = content.length;
        put(client, 0, name(1, 1), content);
        assertThat(read(client, 0, name(1, 1), 0, size + 1)).isEqualTo(content);
        assertThat(read(client, 0, name(1, 1), size - 3, 1_000_000))
                .isEqualTo(Arrays.copyOfRange(content, size - 3, size));
        assertThat(read(client, 0, name(1, 1), size, 10)).isEmpty();
        assertThat(read(client, 0, name(1, 1), size, ReplicaClient.TO_END)).isEmpty();
    }

    @Test
    void open_streamLeftEarly_canBeClosed() throws Exception {
        ReplicaClient client = client();
        put(client, 0, name(1, 1), bytes(200));
        try (InputStream in = client.open(0, name(1, 1), 0, ReplicaClient.TO_END)) {
            assertThat(in.read()).isEqualTo(bytes(200)[0] & 0xFF);
        }
        assertThat(read(client, 0, name(1, 1), 0, ReplicaClient.TO_END)).isEqualTo(bytes(200));
    }

    @Test
    void open_missingFile_throwsNotFound() throws Exception {
        ReplicaClient client = client();
        put(client, 0, name(2, 2), bytes(1));
        assertThatThrownBy(() -> client.open(0, name(1, 1), 0, ReplicaClient.TO_END))
                .isInstanceOf(ReplicaFileNotFoundException.class)
                .hasMessageContaining(name(1, 1).toString());
        assertThatThrownBy(() -> client.open(4, name(2, 2), 3, 10)).isInstanceOf(ReplicaFileNotFoundException.class);
    }

    @Test
    void delete_someFiles_leavesTheOthers() throws Exception {
        ReplicaClient client = client();
        for (int i = 1; i <= 5; i++) {
            put(client, 0, name(i, i), bytes(i));
        }
        put(client, 1, name(2, 2), bytes(2));
        client.delete(0, List.of(name(2, 2), name(9, 9), name(4, 4)));
        assertThat(list(client, 0)).extracting(LtxFileInfo::name).containsExactly(name(1, 1), name(3, 3), name(5, 5));
        assertThat(list(client, 1)).hasSize(1);
        assertThatThrownBy(() -> read(client, 0, name(2, 2), 0, ReplicaClient.TO_END))
                .isInstanceOf(ReplicaFileNotFoundException.class);
    }

    @Test
    void delete_missingOrNoFiles_succeeds() throws Exception {
        ReplicaClient client = client();
        client.delete(0, List.of());
        client.delete(0, List.of(name(1, 1)));
        client.delete(7, List.of(name(1, 1), name(2, 2)));
        assertThat(list(client, 0)).isEmpty();
    }

    @Test
    void publish_afterDelete_takesTheNameAgain() throws Exception {
        ReplicaClient client = client();
        put(client, 0, name(1, 1), bytes(1));
        client.delete(0, List.of(name(1, 1)));
        put(client, 0, name(1, 1), bytes(2));
        assertThat(read(client, 0, name(1, 1), 0, ReplicaClient.TO_END)).isEqualTo(bytes(2));
    }

    @Test
    void largeFile_writtenInChunks_isReadBackWhole() throws Exception {
        ReplicaClient client = client();
        MessageDigest written = MessageDigest.getInstance("SHA-256");
        Random random = new Random(SEED);
        byte[] chunk = new byte[60_001]; // fits no buffer evenly
        try (ReplicaUpload upload = client.write(9, name(1, 1), TIME)) {
            for (int left = LARGE; left > 0; left -= chunk.length) {
                random.nextBytes(chunk);
                int length = Math.min(left, chunk.length);
                upload.write(chunk, 0, length);
                written.update(chunk, 0, length);
            }
            assertThat(upload.publish().size()).isEqualTo(LARGE);
        }
        MessageDigest read = MessageDigest.getInstance("SHA-256");
        long size = 0;
        try (InputStream in = client.open(9, name(1, 1), 0, ReplicaClient.TO_END)) {
            for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
                read.update(chunk, 0, count);
                size += count;
            }
        }
        assertThat(size).isEqualTo(LARGE);
        assertThat(HexFormat.of().formatHex(read.digest()))
                .isEqualTo(HexFormat.of().formatHex(written.digest()));
    }

    @Test
    void largeFile_nameTaken_conflictsAndKeepsTheFirst() throws Exception {
        ReplicaClient client = client();
        byte[] first = new byte[12 << 20];
        new Random(SEED).nextBytes(first);
        put(client, 9, name(1, 1), first);
        byte[] other = first.clone();
        other[11 << 20] ^= 1;
        ReplicaClient another = client();
        assertThatThrownBy(() -> put(another, 9, name(1, 1), other)).isInstanceOf(ReplicaConflictException.class);
        put(another, 9, name(1, 1), first);
        assertThat(Arrays.equals(read(client, 9, name(1, 1), 0, ReplicaClient.TO_END), first))
                .isTrue();
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

    private static <T> List<T> inParallel(List<Callable<T>> tasks) throws Exception {
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
