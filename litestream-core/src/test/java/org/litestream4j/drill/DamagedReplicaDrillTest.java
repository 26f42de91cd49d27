package org.litestream4j.drill;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.Replicas;
import org.litestream4j.testing.SqliteFixture;

/** Damage is always a finding, and never counted as a drill that could not run. */
class DamagedReplicaDrillTest extends DrillFixture {

    private static final long SEED = 18;

    /** The first file of level 0, which a snapshot replaces. */
    private static final long FIRST = 2;

    @Test
    void anyFileDamagedInAnyWay_isAFinding() throws IOException {
        List<Path> files = files(replica);
        assertThat(files).hasSizeGreaterThan(6);
        Random random = new Random(SEED);
        for (Path file : files) {
            byte[] good = Files.readAllBytes(file);
            FileTime time = Files.getLastModifiedTime(file);
            byte[] other = Files.readAllBytes(files.get((files.indexOf(file) + 1) % files.size()));
            for (byte[] bad : damages(good, other, random)) {
                Files.write(file, bad);
                Files.setLastModifiedTime(file, time);
                DrillReport report = drill(options().deep(true).build());
                assertThat(report.outcome())
                        .as(file + ", " + bad.length + " bytes, seed " + SEED + ": " + report)
                        .isEqualTo(DrillOutcome.FAILED);
                assertThat(report.findings().toString())
                        .contains(file.getFileName().toString());
            }
            Files.write(file, good);
            Files.setLastModifiedTime(file, time);
        }
        assertThat(drill().outcome()).isEqualTo(DrillOutcome.PASSED);
    }

    private static List<byte[]> damages(byte[] good, byte[] other, Random random) {
        List<byte[]> damages = new ArrayList<>();
        damages.add(other);
        damages.add(new byte[0]);
        damages.add(new byte[good.length]);
        damages.add(Arrays.copyOf(good, good.length + 1));
        for (int length : new int[] {99, 130, good.length / 2, good.length - 1}) {
            damages.add(Arrays.copyOf(good, length));
        }
        for (int i = 0; i < 6; i++) {
            byte[] flipped = good.clone();
            flipped[i < 2 ? random.nextInt(80) : random.nextInt(good.length)] ^= (byte) (1 << random.nextInt(8));
            damages.add(flipped);
        }
        return damages;
    }

    /** Without reading every file: level 0 and the restored states are read anyway. */
    @Test
    void damagedFileOfLevel0_isFoundAlthoughASnapshotReplacesIt() throws IOException {
        byte[] bytes = Files.readAllBytes(level0(FIRST));
        bytes[bytes.length - 3] ^= 4;
        Files.write(level0(FIRST), bytes);
        DrillReport report = drill();
        assertFailed(
                report, DrillFinding.Kind.DAMAGED, level0(FIRST).getFileName().toString());
        assertThat(report.newest()).isNotNull();
    }

    @Test
    void missingFile_isAFinding() throws IOException {
        Files.delete(level0(replicated.value() - 1));
        DrillReport report = drill();
        assertFailed(report, DrillFinding.Kind.MISSING, "missing before level 0");
        assertThat(report.newest()).isNull();
        assertThat(report.recoveryTime()).isNull();
    }

    @Test
    void missingFileBeforeASnapshot_isAFinding() throws IOException {
        Files.delete(level0(FIRST + 1));
        assertFailed(drill(), DrillFinding.Kind.MISSING, "level 0");
    }

    /** Nothing but the engine knows that it was there. */
    @Test
    void missingNewestFile_isFoundByTheReplicatedPosition() throws IOException {
        Files.delete(level0(replicated.value()));
        DrillReport report = RestoreDrill.run(
                listener -> Replicas.open(location(replica), listener),
                options().build(),
                replicated);
        assertFailed(report, DrillFinding.Kind.OUTDATED, replicated.toString());
        assertThat(report.replicated()).isEqualTo(replicated);
        assertThat(report.newest().txid()).isEqualTo(replicated.previous());
        assertThat(drill().outcome()).isEqualTo(DrillOutcome.PASSED);
    }

    @Test
    void emptiedReplica_isAFinding() throws IOException {
        for (Path file : files(replica)) {
            Files.delete(file);
        }
        assertFailed(drill(), DrillFinding.Kind.NO_BACKUP, "there is no backup");
        SqliteFixture.deleteTree(replica);
        assertFailed(drill(), DrillFinding.Kind.NO_BACKUP, "there is no backup");
    }

    @Test
    void emptyReplicaOfADatabaseThatIsNotReplicatedYet_isInconclusive() throws IOException {
        SqliteFixture.deleteTree(replica);
        assertInconclusive(
                RestoreDrill.run(
                        listener -> Replicas.open(location(replica), listener),
                        options().build(),
                        Txid.NONE),
                "nothing has been replicated yet");
    }

    @Test
    void swappedFiles_areAFinding() throws IOException {
        byte[] one = Files.readAllBytes(level0(4));
        Files.write(level0(4), Files.readAllBytes(level0(5)));
        Files.write(level0(5), one);
        assertFailed(drill(), DrillFinding.Kind.DAMAGED, "0000000000000004");
    }

    /** Each file is sound, and their names follow each other. */
    @Test
    void filesOfTwoWriters_areAFinding() throws IOException {
        Path file = level0(Math.min(replicated.value() - 1, otherReplicated.value())); // after the snapshot
        Path other = template.resolve("other").resolve(replica.relativize(file));
        Files.copy(other, file, StandardCopyOption.REPLACE_EXISTING);
        DrillReport report = drill();
        assertFailed(report, DrillFinding.Kind.CHECKSUM, "Two programs have written to this replica");
        assertFailed(report, DrillFinding.Kind.DAMAGED, "does not continue the file before it");
    }

    @Test
    void databaseThatSqliteFindsMalformed_isAFinding() throws Exception {
        replica = replicaOf(
                "CREATE TABLE orders(id INTEGER PRIMARY KEY, item)",
                "CREATE INDEX items ON orders(item)",
                "INSERT INTO orders(item) VALUES ('a')",
                "PRAGMA writable_schema=ON",
                "UPDATE sqlite_schema SET rootpage = 2 WHERE name = 'items'");
        assertFailed(drill(), DrillFinding.Kind.MALFORMED, "SQLite finds the database damaged");
    }
}
