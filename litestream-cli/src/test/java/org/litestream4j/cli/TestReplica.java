package org.litestream4j.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Random;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxWriter;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.file.FileReplicaProvider;

/** A folder with a snapshot of TXID 1 and two more transactions, each of which changes the second page. */
final class TestReplica {

    static final int PAGE_SIZE = 1024;

    static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private final Path folder;

    private TestReplica(Path folder) {
        this.folder = folder;
    }

    static TestReplica create(Path folder) {
        TestReplica replica = new TestReplica(folder);
        try (ReplicaClient client = FileReplicaProvider.at(folder)) {
            replica.write(client, 9, 1, new long[] {1, 2, 3});
            replica.write(client, 0, 2, new long[] {2});
            replica.write(client, 0, 3, new long[] {2});
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return replica;
    }

    String url() {
        return folder.toUri().toString();
    }

    Path file(int level, long txid) {
        return folder.resolve("ltx/" + level)
                .resolve(LtxFileName.of(new Txid(txid)).toString());
    }

    private void write(ReplicaClient client, int level, long txid, long[] pgnos) throws IOException {
        Instant timestamp = START.plusSeconds(txid);
        LtxHeader header = LtxHeader.of(
                PAGE_SIZE,
                3,
                new Txid(txid),
                new Txid(txid),
                timestamp.toEpochMilli(),
                new WalRange(32 + (txid - 1) * (PAGE_SIZE + 24L), PAGE_SIZE + 24L, 1, 2));
        try (ReplicaUpload upload = client.write(level, header.fileName(), timestamp);
                LtxWriter writer = LtxWriter.open(upload, header, PageEncoding.BLOCK)) {
            for (long pgno : pgnos) {
                byte[] page = page(pgno == 2 ? txid : 0, pgno);
                writer.writePage(pgno, page);
            }
            writer.finish(0);
            upload.publish();
        }
    }

    private static byte[] page(long txid, long pgno) {
        byte[] page = new byte[PAGE_SIZE];
        new Random(txid * 10 + pgno).nextBytes(page);
        return page;
    }

    /** The whole database after a transaction. */
    byte[] image(long txid) {
        byte[] image = new byte[3 * PAGE_SIZE];
        System.arraycopy(page(0, 1), 0, image, 0, PAGE_SIZE);
        System.arraycopy(page(txid, 2), 0, image, PAGE_SIZE, PAGE_SIZE);
        System.arraycopy(page(0, 3), 0, image, 2 * PAGE_SIZE, PAGE_SIZE);
        return image;
    }
}
