package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxWriter;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.file.FileReplicaProvider;

/** A database of a little more than 1 GiB. */
@Tag("slow")
class LockPageRestoreTest {

    private static final int PAGE_SIZE = 65536;

    private static final long LOCK_PAGE = LockPage.pgno(PAGE_SIZE);

    @TempDir
    Path temp;

    @ParameterizedTest
    @ValueSource(longs = {-1, 0, 1, 2})
    void restore_databaseAroundTheLockPage_hasZerosThere(long pagesBeyond) throws IOException {
        long commit = LOCK_PAGE + pagesBeyond;
        try (ReplicaClient client = FileReplicaProvider.at(temp.resolve("replica"))) {
            writeSnapshot(client, commit);
            for (long partSize : new long[] {100_000, Long.MAX_VALUE}) {
                Files.deleteIfExists(temp.resolve("restored.db")); // its pages are no database
                Path file = new RestoreJob(client, temp.resolve("restored.db"), RestoreOptions.defaults(), partSize)
                        .run()
                        .target();
                assertThat(Files.size(file)).isEqualTo(commit * PAGE_SIZE);
                assertPages(file, commit);
            }
        }
    }

    private static void writeSnapshot(ReplicaClient client, long commit) throws IOException {
        LtxHeader header = LtxHeader.of(
                PAGE_SIZE, commit, new Txid(1), new Txid(1), 1_790_000_000_000L, new WalRange(32, 0, 1, 2));
        try (ReplicaUpload upload = client.write(9, header.fileName(), ModelReplica.timestamp(1));
                LtxWriter writer = LtxWriter.open(upload, header, PageEncoding.BLOCK)) {
            for (long pgno = 1; pgno <= commit; pgno++) {
                if (pgno != LOCK_PAGE) {
                    writer.writePage(pgno, page(pgno));
                }
            }
            writer.finish(0);
            upload.publish();
        }
    }

    private static byte[] page(long pgno) {
        byte[] page = new byte[PAGE_SIZE];
        Arrays.fill(page, (byte) (pgno == LOCK_PAGE ? 0 : 1 + pgno % 100));
        return page;
    }

    private static void assertPages(Path file, long commit) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            byte[] page = new byte[PAGE_SIZE];
            for (long pgno = 1; pgno <= commit; pgno++) {
                ByteBuffer buffer = ByteBuffer.wrap(page);
                while (buffer.hasRemaining()) {
                    assertThat(channel.read(buffer)).isPositive();
                }
                assertThat(Arrays.equals(page, page(pgno))).as("page %d", pgno).isTrue();
            }
        }
    }
}
