package org.litestream4j.restore;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxMerger;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.LtxWriter;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaUpload;

/** A database of random pages that remembers each of its states, and writes them to a replica as the engine would. */
public final class ModelReplica {

    /** The timestamp of TXID n is n seconds after this. */
    public static final Instant START = Instant.ofEpochSecond(1_790_000_000L);

    /** The first bytes of a database. */
    public static final byte[] MAGIC = "SQLite format 3\0".getBytes(StandardCharsets.US_ASCII);

    private final ReplicaClient client;
    private final Random random;
    private final int salt;
    private final List<byte[]> images = new ArrayList<>(List.of(new byte[0]));
    private int pageSize;

    public ModelReplica(ReplicaClient client, int pageSize, long seed) {
        this(client, pageSize, seed, 1);
    }

    /** @param salt first salt of the WAL: histories of different WALs do not continue each other */
    public ModelReplica(ReplicaClient client, int pageSize, long seed, int salt) {
        this.client = client;
        this.pageSize = pageSize;
        this.random = new Random(seed);
        this.salt = salt;
    }

    /** Returns another history of the same database, which differs after a TXID, in the same replica. */
    public ModelReplica fork(long txid, long seed) {
        ModelReplica fork = new ModelReplica(client, pageSize, seed, salt);
        fork.images.clear();
        fork.images.addAll(images.subList(0, (int) txid + 1));
        return fork;
    }

    public static Instant timestamp(long txid) {
        return START.plusSeconds(txid);
    }

    public long newest() {
        return images.size() - 1L;
    }

    public byte[] image(long txid) {
        return images.get((int) txid);
    }

    public byte[] latest() {
        return images.get(images.size() - 1);
    }

    /** Changes some pages and makes the database this long; one level-0 file. */
    public void commit(int commit, int changes) throws IOException {
        byte[] before = latest();
        byte[] after = Arrays.copyOf(before, commit * pageSize);
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        for (long pgno = before.length / pageSize + 1L; pgno <= commit; pgno++) {
            pages.put(pgno, page());
        }
        for (int i = 0; i < changes && commit > 0; i++) {
            pages.put(1L + random.nextInt(commit), page());
        }
        write(0, newest() + 1, newest() + 1, commit, pages, after);
    }

    /** All pages anew, of another size, as a level-0 file. */
    public void changePageSize(int newPageSize, int commit) throws IOException {
        pageSize = newPageSize;
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        for (long pgno = 1; pgno <= commit; pgno++) {
            pages.put(pgno, page());
        }
        write(0, newest() + 1, newest() + 1, commit, pages, new byte[commit * pageSize]);
    }

    private void write(int level, long min, long max, int commit, SortedMap<Long, byte[]> pages, byte[] after)
            throws IOException {
        if (pages.containsKey(1L)) { // restores replace nothing but databases
            System.arraycopy(MAGIC, 0, pages.get(1L), 0, MAGIC.length);
        }
        pages.forEach((pgno, page) -> System.arraycopy(page, 0, after, (int) (pgno - 1) * pageSize, pageSize));
        images.add(after);
        put(level, min, max, encode(header(min, max, commit), pages));
    }

    public LtxHeader header(long min, long max, long commit) {
        return LtxHeader.of(
                pageSize,
                commit,
                new Txid(min),
                new Txid(max),
                timestamp(max).toEpochMilli(),
                min == max ? new WalRange(32 + min * (pageSize + 24L), pageSize + 24L, salt, 2) : WalRange.NONE);
    }

    public static byte[] encode(LtxHeader header, SortedMap<Long, byte[]> pages) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (LtxWriter writer = LtxWriter.open(out, header, PageEncoding.BLOCK)) {
            for (var page : pages.entrySet()) {
                writer.writePage(page.getKey(), page.getValue());
            }
            writer.finish(0);
        }
        return out.toByteArray();
    }

    public void put(int level, long min, long max, byte[] bytes) throws IOException {
        try (ReplicaUpload upload = client.write(level, name(min, max), timestamp(max))) {
            upload.write(bytes);
            upload.publish();
        }
    }

    /** Merges files of one level into one of another. */
    public void merge(int from, int to, long min, long max) throws IOException {
        List<LtxFileName> names = new ArrayList<>();
        client.list(from, new Txid(min), file -> {
            if (!file.maxTxid().isAfter(new Txid(max))) {
                names.add(file.name());
            }
            return true;
        });
        List<LtxReader> inputs = names.stream().map(name -> reader(from, name)).toList();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (LtxMerger merger = LtxMerger.open(inputs)) {
            merger.writeTo(out, PageEncoding.BLOCK);
        }
        put(to, min, max, out.toByteArray());
    }

    private LtxReader reader(int level, LtxFileName name) {
        try {
            return LtxReader.open(client.open(level, name, 0, ReplicaClient.TO_END), name.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a snapshot of a state. */
    public void snapshot(long txid) throws IOException {
        put(9, 1, txid, snapshotBytes(txid));
    }

    public byte[] snapshotBytes(long txid) throws IOException {
        byte[] image = image(txid);
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        for (int at = 0; at < image.length; at += pageSize) {
            pages.put(1L + at / pageSize, Arrays.copyOfRange(image, at, at + pageSize));
        }
        return encode(header(1, txid, pages.size()), pages);
    }

    /** A page that compresses somewhat. */
    public byte[] page() {
        byte[] page = new byte[pageSize];
        for (int i = 0; i < pageSize; i++) {
            page[i] = (byte) (random.nextInt(3) == 0 ? random.nextInt() : i % 7);
        }
        return page;
    }

    public static LtxFileName name(long min, long max) {
        return new LtxFileName(new Txid(min), new Txid(max));
    }
}
