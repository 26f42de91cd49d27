package org.litestream4j.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.ReplicaClientContract.LARGE;
import static org.litestream4j.replica.ReplicaClientContract.SEED;
import static org.litestream4j.replica.ReplicaClientContract.TIME;
import static org.litestream4j.replica.ReplicaClientContract.name;
import static org.litestream4j.replica.ReplicaClientContract.put;
import static org.litestream4j.replica.ReplicaClientContract.read;

import java.io.InputStream;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The part of {@link ReplicaClientContract} about files that a store may take in parts. */
interface LargeFileContract extends ContractClients {

    @Test
    default void largeFile_writtenInChunks_isReadBackWhole() throws Exception {
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
    default void largeFile_nameTaken_conflictsAndKeepsTheFirst() throws Exception {
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
}
