package org.litestream4j.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxWriter;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.Replicas;

/** Level-0 files whose names follow each other, and whose WAL ranges do or do not. */
class ValidationChainTest {

    private static final int FRAME = 512 + 24;

    private final MemoryReplica replica = new MemoryReplica();

    private void write(int level, long txid, int pages, WalRange wal) throws IOException {
        LtxFileName name = LtxFileName.of(new Txid(txid));
        try (ReplicaUpload upload = replica.write(level, name, Instant.EPOCH);
                LtxWriter writer = LtxWriter.open(
                        upload, LtxHeader.of(512, 3, name.min(), name.max(), 0, wal), PageEncoding.BLOCK)) {
            for (int pgno = 1; pgno <= pages; pgno++) {
                writer.writePage(pgno, new byte[512]);
            }
            writer.finish(0);
            upload.publish();
        }
    }

    private void begin() throws IOException {
        write(9, 1, 3, new WalRange(32, 0, 0, 0));
        write(0, 2, 1, new WalRange(32, 0, 0, 0));
        write(0, 3, 1, new WalRange(32, 2 * FRAME, 5, 77));
        write(0, 4, 2, new WalRange(32 + 2 * FRAME, FRAME, 5, 77));
    }

    private List<Validation.Problem> problems() throws IOException {
        assertThat(Validation.run(replica, false, () -> false).problems()).isEmpty();
        return Validation.run(replica, true, () -> false).problems();
    }

    @Test
    void rangesThatFollow_areSound() throws IOException {
        begin();
        write(0, 5, 1, new WalRange(32, FRAME, 6, 99)); // the WAL began again
        write(0, 6, 3, new WalRange(32 + 9 * FRAME, FRAME, 6, 99)); // all pages
        write(0, 7, 1, new WalRange(32 + 10 * FRAME, FRAME, 6, 99));
        assertThat(problems()).isEmpty();
    }

    @Test
    void fileOfAnotherWriterInBetween_isFound() throws IOException {
        begin();
        write(0, 5, 1, new WalRange(32 + FRAME, FRAME, 5, 77)); // overlaps
        write(0, 6, 1, new WalRange(32 + 2 * FRAME, FRAME, 5, 77));
        write(0, 7, 1, new WalRange(32 + 3 * FRAME, FRAME, 8, 8)); // in the middle of another WAL
        List<Validation.Problem> problems = problems();
        assertThat(problems)
                .extracting(Validation.Problem::file)
                .containsExactly(LtxFileName.of(new Txid(5)), LtxFileName.of(new Txid(7)));
        assertThat(problems).allMatch(Validation.Problem::isSerious);
        assertThat(problems.get(0).text()).contains("0000000000000004").contains("two programs");
    }

    /** What the official program wrote. */
    @ParameterizedTest
    @ValueSource(strings = {"away-4096", "levels-4096", "retained-4096", "page-512", "page-65536", "autovacuum-8192"})
    void replicasOfTheReference_areSound(String fixture) throws IOException {
        Path folder = Path.of("src/test/resources/fixtures", fixture, "replica").toAbsolutePath();
        try (ReplicaClient client =
                Replicas.open(ReplicaLocation.of(folder.toUri().toString()))) {
            assertThat(Validation.run(client, true, () -> false).problems())
                    .noneMatch(problem -> problem.kind() == Validation.Kind.DAMAGED);
        }
    }
}
