package org.litestream4j.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.ReplicaClientContract.TIME;
import static org.litestream4j.replica.ReplicaClientContract.bytes;
import static org.litestream4j.replica.ReplicaClientContract.inParallel;
import static org.litestream4j.replica.ReplicaClientContract.list;
import static org.litestream4j.replica.ReplicaClientContract.name;
import static org.litestream4j.replica.ReplicaClientContract.put;
import static org.litestream4j.replica.ReplicaClientContract.read;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The part of {@link ReplicaClientContract} about uploads: a file is published whole, once, and never replaced. */
interface PublishingContract extends ContractClients {

    @Test
    default void publish_file_isListedWithSizeAndTimestamp() throws Exception {
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
    default void timestamp_variousMoments_areExactToTheMillisecond() throws Exception {
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
    default void publish_notCalled_leavesNothing() throws Exception {
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
    default void write_unpublished_isInvisible() throws Exception {
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
    default void close_uploadRepeated_isHarmless() throws Exception {
        ReplicaClient client = client();
        ReplicaUpload upload = client.write(0, name(1, 1), TIME);
        upload.write(1);
        upload.publish();
        upload.close();
        upload.close();
        assertThat(read(client, 0, name(1, 1), 0, ReplicaClient.TO_END)).containsExactly(1);
    }

    @Test
    default void publish_singleBytesAndSlices_keepsThemInOrder() throws Exception {
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
    default void publish_emptyFile_isEmpty() throws Exception {
        ReplicaClient client = client();
        put(client, 0, name(1, 1), new byte[0]);
        assertThat(list(client, 0)).extracting(LtxFileInfo::size).containsExactly(0L);
        assertThat(read(client, 0, name(1, 1), 0, ReplicaClient.TO_END)).isEmpty();
    }

    @Test
    default void publish_sameContentAgain_succeeds() throws Exception {
        ReplicaClient client = client();
        put(client, 0, name(1, 1), bytes(5));
        LtxFileInfo again = put(client(), 0, name(1, 1), bytes(5));
        assertThat(again.size()).isEqualTo(bytes(5).length);
        assertThat(list(client, 0)).hasSize(1);
        assertThat(read(client, 0, name(1, 1), 0, ReplicaClient.TO_END)).isEqualTo(bytes(5));
    }

    @Test
    default void publish_otherContent_conflictsAndKeepsTheFirst() throws Exception {
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
    default void publish_sixteenRacingWriters_haveExactlyOneWinner() throws Exception {
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
}
