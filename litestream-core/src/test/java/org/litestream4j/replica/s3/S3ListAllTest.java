package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Random;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.replica.s3.FaultProxy.Fault;
import org.litestream4j.replica.s3.FaultProxy.Seen;

/** All levels by as few listings as their size allows, seen by a store whose pages hold a given number of keys. */
class S3ListAllTest {

    private final NavigableSet<String> keys = new TreeSet<>();

    private int pageSize = 1000;

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

    private static String parameter(Seen request, String name) {
        Matcher matcher = Pattern.compile("[?&]" + name + "=([^&]*)").matcher(request.target());
        return matcher.find() ? URLDecoder.decode(matcher.group(1), StandardCharsets.UTF_8) : "";
    }

    private String page(Seen request) {
        String prefix = parameter(request, "prefix");
        String token = parameter(request, "continuation-token");
        String after = token.isEmpty() ? parameter(request, "start-after") : token;
        List<String> rest = keys.tailSet(after, false).stream()
                .filter(key -> key.startsWith(prefix))
                .limit(pageSize + 1L)
                .toList();
        StringBuilder page = new StringBuilder("<ListBucketResult>");
        for (String key : rest.subList(0, Math.min(pageSize, rest.size()))) {
            page.append("<Contents><Key>")
                    .append(key)
                    .append("</Key><LastModified>2026-11-24T02:41:33.000Z</LastModified><Size>7</Size></Contents>");
        }
        if (rest.size() > pageSize) {
            page.append("<IsTruncated>true</IsTruncated><NextContinuationToken>")
                    .append(rest.get(pageSize - 1))
                    .append("</NextContinuationToken>");
        }
        return page.append("</ListBucketResult>").toString();
    }

    private static List<Txid> newest(long txid) {
        List<Txid> from = new ArrayList<>();
        for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
            from.add(new Txid(txid));
        }
        return from;
    }

    private void file(int level, long min, long max) {
        keys.add(new S3Keys("app").key(level, new LtxFileName(new Txid(min), new Txid(max))));
    }

    private List<LtxFileInfo> listAll(List<Txid> from) throws Exception {
        List<LtxFileInfo> files = new ArrayList<>();
        client.listAll(from, files::add);
        return files;
    }

    @Test
    void smallReplica_isOneRequest() throws Exception {
        for (int i = 1; i <= 90; i++) {
            for (int level : new int[] {0, 1, 2, 3, 9}) {
                file(level, i, i);
            }
        }
        assertThat(listAll(ReplicaClient.FROM_THE_FIRST)).hasSize(450);
        assertThat(listAll(newest(90))).hasSize(5);
        assertThat(store.seen).hasSize(2);
    }

    @Test
    void emptyReplica_isOneRequest() throws Exception {
        assertThat(listAll(ReplicaClient.FROM_THE_FIRST)).isEmpty();
        assertThat(store.seen).hasSize(1);
    }

    @Test
    void largeReplica_newestFilesOnly_jumpsOverTheOld() throws Exception {
        for (int i = 1; i <= 5000; i++) {
            for (int level : new int[] {0, 1, 2}) {
                file(level, i, i);
            }
        }
        file(9, 1, 1);
        assertThat(listAll(newest(5000))).hasSize(3);
        assertThat(store.seen).hasSizeLessThanOrEqualTo(4); // 15,001 objects
    }

    @Test
    void otherObjects_areJumpedOverAndIgnored() throws Exception {
        pageSize = 10;
        for (int i = 0; i < 100; i++) {
            keys.add("app/-before/" + i);
            keys.add("app/0000-beside/" + i);
            keys.add("app/sub/0000/" + new LtxFileName(new Txid(1), new Txid(1L + i)));
            keys.add("apple/0000/" + new LtxFileName(new Txid(1), new Txid(1L + i)));
        }
        file(0, 3, 3);
        file(9, 1, 3);
        assertThat(listAll(ReplicaClient.FROM_THE_FIRST))
                .extracting(file -> file.level() + " " + file.name().max().value())
                .containsExactly("0 3", "9 3");
        assertThat(store.seen).hasSizeLessThanOrEqualTo(5);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void anyReplica_listsWhatTheLevelsList(long seed) throws Exception {
        Random random = new Random(seed);
        for (int round = 0; round < 40; round++) {
            keys.clear();
            pageSize = 1 + random.nextInt(8);
            List<Txid> from = new ArrayList<>();
            for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
                from.add(new Txid(random.nextInt(20)));
                for (int files = random.nextInt(12); files > 0; files--) {
                    long min = 1L + random.nextInt(20);
                    file(level, min, min + random.nextInt(3));
                }
            }
            keys.add("app/" + random.nextInt(12) + "x");
            List<LtxFileInfo> expected = new ArrayList<>();
            for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
                client.list(level, from.get(level), expected::add);
            }
            int single = store.seen.size();
            assertThat(listAll(from)).as("seed %d, round %d", seed, round).isEqualTo(expected);
            assertThat(store.seen.size() - single)
                    .as("seed %d, round %d: a jump at most for each level more", seed, round)
                    .isLessThanOrEqualTo(single + ReplicaClient.SNAPSHOT_LEVEL);
            store.seen.clear();
        }
    }
}
