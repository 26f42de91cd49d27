package org.litestream4j.internal.pages;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.replica.RequestListener.RequestType;
import org.litestream4j.restore.ModelReplica;

/** Pages of a replica in a store behind a network. */
abstract class StorePagesContract {

    private final LongAdder requests = new LongAdder();
    private final LongAdder gets = new LongAdder();

    /** The address of a new replica. */
    abstract ReplicaLocation location();

    private static ReplicaClient writer(ReplicaLocation location) throws Exception {
        ReplicaClient writer = Replicas.open(location);
        writer.prepare();
        return writer;
    }

    private ReplicaPages reader(ReplicaLocation location, PagesOptions.Builder options) {
        RequestListener counter = request -> {
            requests.increment();
            gets.add(request.type() == RequestType.GET ? 1 : 0);
        };
        return ReplicaPages.open(Replicas.open(location, counter), options.build());
    }

    @Test
    void everyState_hasThePagesOfTheModel() throws Exception {
        ReplicaLocation location = location();
        Random random = new Random(5);
        try (ReplicaClient writer = writer(location)) {
            ModelReplica model = new ModelReplica(writer, 4096, 3);
            model.commit(300, 5);
            for (int i = 0; i < 12; i++) {
                model.commit(200 + random.nextInt(200), 1 + random.nextInt(20));
            }
            model.merge(0, 1, 2, 7);
            model.snapshot(9);
            try (ReplicaPages pages = reader(location, PagesFixture.options())) {
                for (long txid = 1; txid <= model.newest(); txid++) {
                    assertThat(PagesFixture.all(pages.asOf(new Txid(txid)))).isEqualTo(model.image(txid));
                }
                PageSource then = pages.asOf(ModelReplica.timestamp(6).plusMillis(1));
                assertThat(then.latest().txid()).isEqualTo(new Txid(6));
                PageSource newest = pages.newest();
                for (int i = 0; i < 5; i++) {
                    model.commit(300, 10);
                    assertThat(pages.awaitTxid(new Txid(model.newest()), PagesFixture.TIMEOUT))
                            .isTrue();
                    assertThat(PagesFixture.all(newest)).isEqualTo(model.latest());
                }
            }
        }
    }

    @Test
    void hydratedPages_areThoseOfTheModel() throws Exception {
        ReplicaLocation location = location();
        try (ReplicaClient writer = writer(location)) {
            ModelReplica model = new ModelReplica(writer, 4096, 3);
            model.commit(300, 5);
            model.commit(310, 5);
            try (ReplicaPages pages = reader(location, PagesFixture.options().hydrate(true))) {
                PageSource newest = pages.newest();
                HydrationTest.awaitDone(pages);
                assertThat(PagesFixture.all(newest)).isEqualTo(model.latest());
                assertThat(PagesFixture.all(pages.asOf(new Txid(1)))).isEqualTo(model.image(1));
            }
        }
    }

    /** Returns the requests for content that one new transaction costs, with reading it. */
    long getsOfATransaction() throws Exception {
        ReplicaLocation location = location();
        try (ReplicaClient writer = writer(location)) {
            ModelReplica model = new ModelReplica(writer, 4096, 3);
            model.commit(100, 0);
            try (ReplicaPages pages = reader(location, PagesFixture.options())) {
                PageSource newest = pages.newest();
                assertThat(PagesFixture.all(newest)).isEqualTo(model.latest());
                gets.reset();
                model.commit(100, 5);
                assertThat(pages.awaitTxid(new Txid(2), PagesFixture.TIMEOUT)).isTrue();
                assertThat(PagesFixture.all(newest)).isEqualTo(model.latest());
                return gets.sum();
            }
        }
    }

    /** Returns the requests of opening and reading the first page of a large replica with three small increments. */
    long requestsOfOpening() throws Exception {
        ReplicaLocation location = location();
        try (ReplicaClient writer = writer(location)) {
            ModelReplica model = new ModelReplica(writer, 4096, 3);
            model.commit(2_000, 0);
            model.commit(2_000, 3);
            model.commit(2_000, 3);
            model.commit(2_000, 3);
            try (ReplicaPages pages = reader(location, PagesFixture.options())) {
                requests.reset();
                PinnedState state = pages.newest().pin();
                ByteBuffer header = ByteBuffer.allocate(100);
                assertThat(state.read(0, header)).isEqualTo(100);
                assertThat(header.array()).startsWith(ModelReplica.MAGIC);
                return requests.sum();
            }
        }
    }
}
