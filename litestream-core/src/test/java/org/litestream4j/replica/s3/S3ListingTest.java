package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.s3.S3TestClients.name;

import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.replica.s3.FaultProxy.Fault;
import org.litestream4j.replica.s3.FaultProxy.Seen;

/** Long listings, from a store that makes them up: 100,000 files of one transaction each. */
class S3ListingTest {

    private static final int FILES = 100_000;

    private static final int PAGE = 1000;

    private static final Pattern TOKEN = Pattern.compile("continuation-token=(\\d+)");

    private static final Pattern START = Pattern.compile("start-after=[^&]*%2F([0-9a-f]{16})");

    private FaultProxy store;

    private ReplicaClient client;

    @BeforeEach
    void open() throws Exception {
        store = new FaultProxy(0);
        store.faults = request -> new Fault.Answer(200, "", page(request));
        client = S3TestClients.open(S3Server.location(store.port(), "app", ""), RequestListener.NONE);
    }

    @AfterEach
    void close() throws Exception {
        client.close();
        store.close();
    }

    private static String page(Seen request) {
        Matcher token = TOKEN.matcher(request.target());
        Matcher start = START.matcher(request.target());
        long first =
                token.find() ? Long.parseLong(token.group(1)) : start.find() ? Long.parseLong(start.group(1), 16) : 1;
        StringBuilder page = new StringBuilder("<ListBucketResult>");
        for (long i = first; i < first + PAGE && i <= FILES; i++) {
            entry(page, "app/0000/" + name(i));
        }
        long next = first + PAGE;
        if (next <= FILES) {
            page.append("<IsTruncated>true</IsTruncated><NextContinuationToken>")
                    .append(next)
                    .append("</NextContinuationToken>");
        }
        return page.append("</ListBucketResult>").toString();
    }

    private static void entry(StringBuilder page, String key) {
        page.append("<Contents><Key>")
                .append(key)
                .append("</Key><Size>7</Size><LastModified>2026-11-24T02:41:33.000Z</LastModified></Contents>");
    }

    @Test
    void list_hundredThousandFiles_arePagedAsTheyAreVisited() throws Exception {
        AtomicLong seen = new AtomicLong();
        AtomicInteger ahead = new AtomicInteger();
        client.list(0, Txid.NONE, file -> {
            long number = seen.incrementAndGet();
            assertThat(file.minTxid()).isEqualTo(new Txid(number));
            int pages = store.seen.size();
            ahead.accumulateAndGet(pages - (int) ((number + PAGE - 1) / PAGE), Math::max);
            return true;
        });
        assertThat(seen).hasValue(FILES);
        assertThat(store.seen).hasSize(FILES / PAGE);
        assertThat(ahead).as("pages asked for before they were needed").hasValue(0);
    }

    @Test
    void list_fromTxid_beginsThere() throws Exception {
        AtomicLong first = new AtomicLong();
        client.list(0, new Txid(99_500), file -> {
            first.compareAndSet(0, file.minTxid().value());
            return true;
        });
        assertThat(first).hasValue(99_500);
        assertThat(store.seen).hasSize(1);
    }

    @Test
    void list_enoughSeen_asksForNoMorePages() throws Exception {
        AtomicLong seen = new AtomicLong();
        client.list(0, Txid.NONE, file -> seen.incrementAndGet() < 1500);
        assertThat(seen).hasValue(1500);
        assertThat(store.seen).hasSize(2);
    }

    @Test
    void list_wholeSeconds_areNotBeforeTheFilesTime() throws Exception {
        client.list(0, Txid.NONE, file -> {
            assertThat(file.exact()).isFalse();
            assertThat(file.timestamp()).isAfterOrEqualTo(Instant.parse("2026-11-24T02:41:33.999Z"));
            return false;
        });
    }

    @Test
    void list_otherObjects_areIgnored() throws Exception {
        store.faults = request -> {
            StringBuilder page = new StringBuilder("<ListBucketResult>");
            entry(page, "app/0000/");
            entry(page, "app/0000/0000000000000001-0000000000000001.ltx.tmp");
            entry(page, "app/0000/0000000000000002-0000000000000001.ltx");
            entry(page, "app/0000/0000000000000003-0000000000000003.ltx");
            entry(page, "app/0000/x/0000000000000004-0000000000000004.ltx");
            return new Fault.Answer(200, "", page + "</ListBucketResult>");
        };
        assertThat(S3TestClients.list(client, 0)).containsExactly(name(3));
    }

    @Test
    void list_wrongOrder_isRefused() {
        store.faults = request -> {
            StringBuilder page = new StringBuilder("<ListBucketResult>");
            entry(page, "app/0000/" + name(3));
            entry(page, "app/0000/" + name(2));
            return new Fault.Answer(200, "", page + "</ListBucketResult>");
        };
        assertThatThrownBy(() -> S3TestClients.list(client, 0))
                .isInstanceOf(ReplicaException.class)
                .hasMessageContaining("out of order");
    }

    @Test
    void list_truncatedWithoutToken_isRefused() {
        store.faults = request ->
                new Fault.Answer(200, "", "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>");
        assertThatThrownBy(() -> S3TestClients.list(client, 0))
                .isInstanceOf(ReplicaException.class)
                .hasMessageContaining("truncated the listing");
    }
}
