package org.litestream4j.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.ReplicaClientContract.bytes;
import static org.litestream4j.replica.ReplicaClientContract.list;
import static org.litestream4j.replica.ReplicaClientContract.name;
import static org.litestream4j.replica.ReplicaClientContract.put;
import static org.litestream4j.replica.ReplicaClientContract.read;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The part of {@link ReplicaClientContract} about deleted files. */
interface DeletingContract extends ContractClients {

    @Test
    default void delete_someFiles_leavesTheOthers() throws Exception {
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
    default void delete_missingOrNoFiles_succeeds() throws Exception {
        ReplicaClient client = client();
        client.delete(0, List.of());
        client.delete(0, List.of(name(1, 1)));
        client.delete(7, List.of(name(1, 1), name(2, 2)));
        assertThat(list(client, 0)).isEmpty();
    }

    @Test
    default void publish_afterDelete_takesTheNameAgain() throws Exception {
        ReplicaClient client = client();
        put(client, 0, name(1, 1), bytes(1));
        client.delete(0, List.of(name(1, 1)));
        put(client, 0, name(1, 1), bytes(2));
        assertThat(read(client, 0, name(1, 1), 0, ReplicaClient.TO_END)).isEqualTo(bytes(2));
    }
}
