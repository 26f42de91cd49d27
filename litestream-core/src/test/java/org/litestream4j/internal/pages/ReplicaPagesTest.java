package org.litestream4j.internal.pages;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.FaultyReplicaClient.Call;
import org.litestream4j.restore.ModelReplica;
import org.litestream4j.restore.RestoreException;

/** The pages of states, compared with the model that wrote them. */
class ReplicaPagesTest extends PagesFixture {

    @ParameterizedTest
    @ValueSource(ints = {512, 1024, 2048, 4096, 8192, 16384, 32768, 65536})
    void everyState_hasThePagesOfTheModel(int pageSize) throws Exception {
        model = new ModelReplica(files, pageSize, 3);
        Random random = new Random(11);
        model.commit(20, 5);
        for (int i = 0; i < 25; i++) {
            model.commit(1 + random.nextInt(60), 1 + random.nextInt(6)); // grows and shrinks
            if (i == 9) {
                model.merge(0, 1, 1, 11);
            } else if (i == 19) {
                model.snapshot(15);
            }
        }
        open(options());
        for (long txid = 1; txid <= model.newest(); txid++) {
            PageSource source = pages.asOf(new Txid(txid));
            assertThat(all(source)).as("TXID %s", txid).isEqualTo(model.image(txid));
            assertPieces(source.pin(), model.image(txid), random, 20);
            assertThat(source.latest().timestamp()).isEqualTo(ModelReplica.timestamp(txid));
        }
        assertNewest(pages.newest(), model.latest(), model.newest());
    }

    @Test
    void moment_isTheNewestOlderState() throws Exception {
        for (int i = 0; i < 5; i++) {
            model.commit(10, 3);
        }
        open(options());
        PageSource third = pages.asOf(ModelReplica.timestamp(3).plusMillis(1));
        assertThat(third.latest().txid()).isEqualTo(new Txid(3));
        assertThat(all(third)).isEqualTo(model.image(3));
        assertThatThrownBy(() -> pages.asOf(ModelReplica.timestamp(1)))
                .isInstanceOf(RestoreException.class)
                .hasMessageContaining("no state older");
        assertThatThrownBy(() -> pages.asOf(new Txid(6)))
                .isInstanceOf(RestoreException.class)
                .hasMessageContaining("not available");
    }

    @Test
    void newTransactions_appearAndLeavePinnedStatesAlone() throws Exception {
        model.commit(30, 1);
        PageSource newest = open(options()).newest();
        PinnedState first = newest.pin();
        long version = first.info().version();
        for (int i = 0; i < 20; i++) {
            model.commit(20 + i, 4);
            assertThat(pages.awaitTxid(new Txid(model.newest()), TIMEOUT)).isTrue();
            assertThat(newest.latest().version()).isGreaterThan(version);
            version = newest.latest().version();
            assertThat(all(newest)).isEqualTo(model.latest());
            assertThat(all(first)).isEqualTo(model.image(1));
        }
        first.release();
        assertThatThrownBy(() -> first.read(0, ByteBuffer.allocate(1))).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void changeOfThePageSize_isOneNewState() throws Exception {
        model.commit(30, 1);
        PageSource newest = open(options()).newest();
        PinnedState before = newest.pin();
        model.changePageSize(4096, 7);
        model.commit(9, 2);
        assertNewest(newest, model.latest(), 3);
        assertThat(newest.latest().pageSize()).isEqualTo(4096);
        assertThat(all(before)).isEqualTo(model.image(1));
        assertThat(all(pages.asOf(new Txid(2)))).isEqualTo(model.image(2));
    }

    @Test
    void opening_takesOneListingAndOneRequestForEachSmallFile() throws Exception {
        model.commit(50, 1);
        for (int i = 0; i < 4; i++) {
            model.commit(50, 2);
        }
        open(options());
        PageSource source = pages.asOf(new Txid(5));
        assertThat(all(source)).isEqualTo(model.latest());
        assertThat(client.calls(Call.OPEN)).isEqualTo(5);
        assertThat(pages.status().requests()).isEqualTo(1 + 5);
    }

    @Test
    void openingOfALargeFile_takesTwoRequests() throws Exception {
        model.commit(4_000, 1);
        open(options().cacheSize(16 << 20));
        PageSource source = pages.asOf(new Txid(1));
        ByteBuffer first = ByteBuffer.allocate(100);
        source.pin().read(0, first);
        assertThat(first.array()).startsWith(ModelReplica.MAGIC);
        assertThat(pages.status().requests()).isEqualTo(1 + 2);
    }

    @Test
    void secondOpening_takesAListing() throws Exception {
        model.commit(4_000, 1);
        model.commit(4_000, 10);
        PagesOptions.Builder options = options().folder(temp.resolve("cache"));
        open(options);
        PageSource source = pages.asOf(new Txid(2));
        assertThat(all(source)).isEqualTo(model.latest());
        pages.close();

        open(options);
        PageSource again = pages.asOf(new Txid(2));
        ByteBuffer first = ByteBuffer.allocate(100);
        again.pin().read(0, first);
        assertThat(pages.status().requests()).isEqualTo(1);
        assertThat(all(again)).isEqualTo(model.latest());
    }

    @Test
    void damagedIndexOnTheDisk_isReadFromTheReplica() throws Exception {
        model.commit(1_000, 1);
        PagesOptions.Builder options = options().folder(temp.resolve("cache"));
        open(options).asOf(new Txid(1));
        pages.close();
        try (var stored = Files.walk(temp.resolve("cache"))) {
            for (var file : stored.filter(Files::isRegularFile).toList()) {
                byte[] bytes = Files.readAllBytes(file);
                bytes[bytes.length / 2] ^= 1;
                Files.write(file, bytes);
            }
        }
        assertThat(all(open(options).asOf(new Txid(1)))).isEqualTo(model.latest());
        assertThat(pages.status().requests()).isGreaterThan(1);
    }

    @Test
    void manyFiles_areReadThroughFewLayers() throws Exception {
        model.commit(200, 1);
        for (int i = 0; i < 300; i++) {
            model.commit(200, 3);
        }
        open(options());
        assertThat(all(pages.asOf(new Txid(301)))).isEqualTo(model.latest());
        assertThat(all(pages.asOf(new Txid(150)))).isEqualTo(model.image(150));
    }

    @Test
    void emptyReplica_isAnError() {
        open(options());
        assertThatThrownBy(() -> pages.newest())
                .isInstanceOf(RestoreException.class)
                .hasMessageContaining("no backup");
    }

    @Test
    void closedPages_cannotBeRead() throws Exception {
        model.commit(10, 1);
        PageSource newest = open(options()).newest();
        PinnedState state = newest.pin();
        pages.close();
        assertThatThrownBy(newest::pin).hasMessageContaining("closed");
        assertThatThrownBy(() -> state.read(0, ByteBuffer.allocate(1))).hasMessageContaining("closed");
    }
}
