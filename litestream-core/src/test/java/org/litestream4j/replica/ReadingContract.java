package org.litestream4j.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.ReplicaClientContract.LARGE;
import static org.litestream4j.replica.ReplicaClientContract.SEED;
import static org.litestream4j.replica.ReplicaClientContract.TIME;
import static org.litestream4j.replica.ReplicaClientContract.bytes;
import static org.litestream4j.replica.ReplicaClientContract.name;
import static org.litestream4j.replica.ReplicaClientContract.put;
import static org.litestream4j.replica.ReplicaClientContract.read;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;

/** The part of {@link ReplicaClientContract} about reading a file, or a range of it. */
interface ReadingContract extends ContractClients {

    @Test
    default void openFile_tellsTheDatabaseChecksumThatWasWritten() throws Exception {
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
    default void open_ranges_giveExactlyThoseBytes() throws Exception {
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
    default void open_rangeBeyondTheEnd_isCut() throws Exception {
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
    default void open_streamLeftEarly_canBeClosed() throws Exception {
        ReplicaClient client = client();
        put(client, 0, name(1, 1), bytes(200));
        try (InputStream in = client.open(0, name(1, 1), 0, ReplicaClient.TO_END)) {
            assertThat(in.read()).isEqualTo(bytes(200)[0] & 0xFF);
        }
        assertThat(read(client, 0, name(1, 1), 0, ReplicaClient.TO_END)).isEqualTo(bytes(200));
    }

    @Test
    default void open_missingFile_throwsNotFound() throws Exception {
        ReplicaClient client = client();
        put(client, 0, name(2, 2), bytes(1));
        assertThatThrownBy(() -> client.open(0, name(1, 1), 0, ReplicaClient.TO_END))
                .isInstanceOf(ReplicaFileNotFoundException.class)
                .hasMessageContaining(name(1, 1).toString());
        assertThatThrownBy(() -> client.open(4, name(2, 2), 3, 10)).isInstanceOf(ReplicaFileNotFoundException.class);
    }
}
