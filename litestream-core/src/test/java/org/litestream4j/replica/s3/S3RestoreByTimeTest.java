package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestorePlan;
import org.litestream4j.restore.RestoreTarget;

/** What planning a restore by time asks a store for; TXID n was committed n seconds after the beginning. */
class S3RestoreByTimeTest {

    private static final Instant START = Instant.parse("2026-03-01T00:00:00Z");

    private static final int HOUR = 3600;

    private static final int DAY = 24 * HOUR;

    private final ListedStore listed = new ListedStore();

    private FaultProxy store;

    private ReplicaClient client;

    @BeforeEach
    void open() throws Exception {
        listed.delay = Duration.ofMillis(1500);
        store = new FaultProxy(0);
        store.faults = listed;
        client = S3TestClients.open(S3Server.location(store.port(), "app", ""), RequestListener.NONE);
    }

    @AfterEach
    void close() throws Exception {
        client.close();
        store.close();
    }

    private void file(int level, long min, long max) {
        listed.objects.put(
                new S3Keys("app").key(level, new LtxFileName(new Txid(min), new Txid(max))), START.plusSeconds(max));
    }

    private RestorePlan plan(long second) throws Exception {
        Instant moment = START.plusSeconds(second).plusMillis(500);
        return Restore.plan(
                client,
                RestoreOptions.builder().target(RestoreTarget.timestamp(moment)).build());
    }

    private long requests(String method) {
        return store.seen.stream()
                .filter(request -> request.method().equals(method))
                .count();
    }

    /** Ten days, a commit each second; snapshots each hour, nothing thrown away but level 0. */
    private void tenDays() {
        for (int level = 1, length = 30; level <= 3; level++, length *= 10) {
            for (int end = length; end <= 10 * DAY; end += length) {
                file(level, end - length + 1, end);
            }
        }
        for (int end = 10 * DAY - 300; end <= 10 * DAY; end++) {
            file(0, end, end);
        }
        for (int end = HOUR; end <= 10 * DAY; end += HOUR) {
            file(9, 1, end);
        }
    }

    @Test
    void plan_amongThirtyThousandFiles_asksForTheTimeOfFewOfThem() throws Exception {
        tenDays();
        int[] moments = {HOUR + 1, DAY, 3 * DAY + 777, 9 * DAY + 29, 10 * DAY - 200, 10 * DAY - 1};
        for (int moment : moments) {
            store.seen.clear();
            long newest = moment < 10 * DAY - 300 ? moment / 30 * 30 : moment;
            assertThat(plan(moment).txid()).isEqualTo(new Txid(newest));
            assertThat(requests("HEAD")).as("moment %d", moment).isLessThanOrEqualTo(15);
            assertThat(requests("GET")).isEqualTo((listed.objects.size() + 999) / 1000);
        }
    }

    @Test
    void plan_filesAfterAHole_asksForTheTimeOfOneOfThem() throws Exception {
        file(9, 1, 10);
        for (int txid = 1000; txid < 3000; txid++) {
            file(0, txid, txid);
        }
        assertThat(plan(500).txid()).isEqualTo(new Txid(10));
        assertThat(requests("HEAD")).isLessThanOrEqualTo(2);
        assertThatThrownBy(() -> plan(1000))
                .isInstanceOf(RestoreException.class)
                .hasMessageContaining("missing");
    }

    @Test
    void plan_filesThatCameLate_areAskedFor() throws Exception {
        listed.delay = Duration.ofMinutes(10); // after an outage
        file(9, 1, 10);
        for (int txid = 11; txid < 1200; txid++) {
            file(0, txid, txid);
        }
        assertThat(plan(800).txid()).isEqualTo(new Txid(800));
        assertThat(requests("HEAD")).isBetween(600L, 605L);
    }

    @Test
    void plan_hundredThousandFiles_isOneListing() throws Exception {
        file(9, 1, 1);
        for (int txid = 2; txid <= 100_000; txid++) {
            file(0, txid, txid);
        }
        RestorePlan plan = plan(99_000);
        assertThat(plan.txid()).isEqualTo(new Txid(99_000));
        assertThat(plan.files()).hasSize(99_000);
        assertThat(requests("GET")).isEqualTo(100);
        assertThat(requests("HEAD")).isLessThanOrEqualTo(5);
    }
}
