package org.litestream4j.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxMerger;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.LtxWriter;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaUpload;

/** A database of few small pages that knows each of its states, and uploads its level-0 files as the engine does. */
final class ModelDatabase {

    private static final int MOST_PAGES = 12;

    private final Clock clock;
    private final Random random;
    private int pageSize = 512;

    /** Version of each page; its content is made of number and version. */
    private int[] pages = new int[0];

    private long txid;
    private Txid uploaded = Txid.NONE;
    private int version;
    private final TreeMap<Long, int[]> states = new TreeMap<>();

    ModelDatabase(Clock clock, long seed) {
        this.clock = clock;
        this.random = new Random(seed);
    }

    Txid txid() {
        return new Txid(txid);
    }

    void pageSize(int value) {
        pageSize = value;
    }

    /** The first image on level 9, and the level-0 file that follows it. */
    List<LtxFileInfo> firstImage(ReplicaClient client) throws IOException {
        pages = new int[] {++version, ++version, ++version};
        List<LtxFileInfo> files = new ArrayList<>();
        note();
        files.add(upload(client, 9, LtxFileName.of(txid()), all()));
        note();
        files.add(upload(client, 0, LtxFileName.of(txid()), new boolean[] {true, false, false}));
        return files;
    }

    /** All pages as a level-0 file. */
    LtxFileInfo image(ReplicaClient client) throws IOException {
        change();
        return upload(client, 0, LtxFileName.of(txid()), all()); // with other pages, if their size was changed
    }

    /** A transaction that changes some pages; now and then the database grows or shrinks. */
    LtxFileInfo commit(ReplicaClient client) throws IOException {
        boolean[] changed = change();
        return upload(client, 0, LtxFileName.of(txid()), changed);
    }

    /** A transaction like {@link #commit}'s that waits for its upload. */
    Pending capture() throws IOException {
        boolean[] changed = change();
        LtxFileName name = LtxFileName.of(txid());
        return new Pending(name, clock.instant(), file(name, changed, clock.instant()));
    }

    /** A level-0 file that is still here. */
    final class Pending {
        private final LtxFileName name;
        private final Instant timestamp;
        private final byte[] content;

        Pending(LtxFileName name, Instant timestamp, byte[] content) {
            this.name = name;
            this.timestamp = timestamp;
            this.content = content;
        }

        LtxFileInfo upload(ReplicaClient client) throws IOException {
            try (ReplicaUpload upload = client.write(0, name, timestamp)) {
                upload.write(content);
                uploaded = name.max();
                return upload.publish();
            }
        }
    }

    private boolean[] change() {
        int before = pages.length;
        if (random.nextInt(20) == 0) {
            pages = Arrays.copyOf(pages, 1 + random.nextInt(MOST_PAGES));
        }
        boolean[] changed = new boolean[pages.length];
        for (int i = 0; i < 2; i++) {
            changed[random.nextInt(pages.length)] = true;
        }
        for (int i = 0; i < pages.length; i++) {
            changed[i] |= i >= before;
            if (changed[i]) {
                pages[i] = ++version;
            }
        }
        note();
        return changed;
    }

    private void note() {
        states.put(++txid, pages.clone());
    }

    /** States before are asked for no more. */
    void forgetBefore(Txid oldest) {
        states.headMap(oldest.value()).clear();
    }

    private boolean[] all() {
        boolean[] all = new boolean[pages.length];
        Arrays.fill(all, true);
        return all;
    }

    byte[] snapshot() throws IOException {
        return file(new LtxFileName(new Txid(1), txid()), all(), clock.instant());
    }

    private LtxFileInfo upload(ReplicaClient client, int level, LtxFileName name, boolean[] changed)
            throws IOException {
        Instant now = clock.instant();
        try (ReplicaUpload upload = client.write(level, name, now)) {
            upload.write(file(name, changed, now));
            uploaded = name.max();
            return upload.publish();
        }
    }

    private byte[] file(LtxFileName name, boolean[] changed, Instant now) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        LtxHeader header = LtxHeader.of(
                pageSize, pages.length, name.min(), name.max(), now.toEpochMilli(), new WalRange(32, 0, 0, 0));
        try (LtxWriter writer = LtxWriter.open(out, header, PageEncoding.BLOCK)) {
            for (int i = 0; i < pages.length; i++) {
                if (changed[i]) {
                    writer.writePage(i + 1, page(i, pages[i]));
                }
            }
            writer.finish(0);
        }
        return out.toByteArray();
    }

    private byte[] page(int number, int version) {
        byte[] page = new byte[pageSize];
        Arrays.fill(page, (byte) number);
        page[0] = (byte) (version >> 24);
        page[1] = (byte) (version >> 16);
        page[2] = (byte) (version >> 8);
        page[3] = (byte) version;
        return page;
    }

    void publishSnapshot(Compaction compaction) throws IOException {
        compaction.publishSnapshot(
                new LtxFileName(new Txid(1), txid()),
                clock.instant(),
                OptionalLong.empty(),
                new ByteArrayInputStream(snapshot()),
                "snapshot");
    }

    /** The files that restore a transaction, as a restore chooses them; empty if it cannot be. */
    static List<LtxFileInfo> plan(List<LtxFileInfo> files, Txid target) {
        List<LtxFileInfo> plan = new ArrayList<>();
        Txid reached = Txid.NONE;
        while (reached.isBefore(target)) {
            LtxFileInfo best = null;
            for (LtxFileInfo file : files) {
                if (file.name().continues(reached)
                        && !file.maxTxid().isAfter(target)
                        && (best == null || file.maxTxid().isAfter(best.maxTxid()))) {
                    best = file;
                }
            }
            if (best == null) {
                return List.of();
            }
            plan.add(best);
            reached = best.maxTxid();
        }
        return plan;
    }

    /** Every transaction that ends a file, and is not before the oldest snapshot, is restorable and exact. */
    void assertAllRestorable(MemoryReplica replica) throws IOException {
        List<LtxFileInfo> files = replica.all();
        Txid oldest = files.stream()
                .filter(file -> file.minTxid().value() == 1)
                .map(LtxFileInfo::maxTxid)
                .min(Txid::compareTo)
                .orElseThrow();
        for (LtxFileInfo file : files) {
            if (!file.maxTxid().isBefore(oldest)) {
                assertRestorable(replica, files, file.maxTxid());
            }
        }
        assertRestorable(replica, files, uploaded);
    }

    void assertRestorable(ReplicaClient replica, List<LtxFileInfo> files, Txid target) throws IOException {
        List<LtxFileInfo> plan = plan(files, target);
        assertThat(plan).as("plan of %s from %s", target, files).isNotEmpty();
        List<LtxReader> readers = new ArrayList<>();
        for (LtxFileInfo file : plan) {
            readers.add(LtxReader.open(
                    replica.open(file.level(), file.name(), 0, ReplicaClient.TO_END), file.toString(), file.name()));
        }
        int[] expected = states.get(target.value());
        assertThat(expected).as("state of %s", target).isNotNull();
        Map<Long, byte[]> found = new TreeMap<>();
        try (LtxMerger merger = LtxMerger.open(readers)) {
            assertThat(merger.header().commit()).isEqualTo(expected.length);
            while (merger.next()) {
                found.put(merger.pgno(), merger.page().clone());
            }
        }
        assertThat(found).hasSize(expected.length);
        for (int i = 0; i < expected.length; i++) {
            assertThat(found.get(i + 1L)).isEqualTo(page(i, expected[i]));
        }
    }
}
