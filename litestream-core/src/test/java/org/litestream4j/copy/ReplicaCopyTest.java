package org.litestream4j.copy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.copy.CopyException.Reason;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.FaultyReplicaClient;
import org.litestream4j.replica.FaultyReplicaClient.Call;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.StopSignal;
import org.litestream4j.replica.file.FileReplicaProvider;
import org.litestream4j.restore.Marks;
import org.litestream4j.restore.ModelReplica;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreTarget;

/** Copies from folder to folder. */
class ReplicaCopyTest {

    private static final int PAGE = 512;

    @TempDir
    Path temp;

    private ReplicaClient sourceFiles;
    private FaultyReplicaClient source;
    private ReplicaClient targetFiles;
    private FaultyReplicaClient target;
    private ModelReplica model;

    @BeforeEach
    void openReplicas() {
        sourceFiles = FileReplicaProvider.at(temp.resolve("source"));
        source = new FaultyReplicaClient(sourceFiles);
        targetFiles = FileReplicaProvider.at(temp.resolve("target"));
        target = new FaultyReplicaClient(targetFiles);
        model = new ModelReplica(sourceFiles, PAGE, 11);
    }

    @AfterEach
    void closeReplicas() throws IOException {
        sourceFiles.close();
        targetFiles.close();
    }

    /** TXIDs 1 to 12; level 1 up to 8, snapshots of 4 and 8. */
    private void history() throws IOException {
        commits(12);
        model.merge(0, 1, 1, 4);
        model.merge(0, 1, 5, 8);
        model.merge(0, ReplicaClient.SNAPSHOT_LEVEL, 1, 4);
        model.merge(0, ReplicaClient.SNAPSHOT_LEVEL, 1, 8);
    }

    private void commits(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            model.commit(6 + i % 3, 2);
        }
    }

    private CopyResult copy(CopyOptions.Builder options) throws IOException {
        return ReplicaCopy.copy(source, target, options.build());
    }

    private CopyResult copy() throws IOException {
        return copy(CopyOptions.builder());
    }

    private static Map<String, LtxFileInfo> files(ReplicaClient client) throws IOException {
        Map<String, LtxFileInfo> files = new TreeMap<>();
        client.listAll(ReplicaClient.FROM_THE_FIRST, file -> {
            files.put(file.level() + "/" + file.name(), file);
            return true;
        });
        return files;
    }

    private byte[] restored(ReplicaClient client, RestoreTarget state) throws IOException {
        Path file = Files.createTempDirectory(temp, "restored").resolve("app.db");
        Restore.restore(client, file, RestoreOptions.builder().target(state).build());
        return Files.readAllBytes(file);
    }

    private Path fileOf(String replica, int level, long min, long max) {
        return temp.resolve(replica + "/ltx/" + level)
                .resolve(ModelReplica.name(min, max).toString());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 64})
    void copy_toAnEmptyTarget_keepsNamesTimesAndBytes(int concurrency) throws IOException {
        history();
        CopyResult result = copy(CopyOptions.builder().concurrency(concurrency));

        assertThat(files(targetFiles)).isEqualTo(files(sourceFiles)).hasSize(16);
        for (LtxFileInfo file : files(sourceFiles).values()) {
            String path = "ltx/" + file.level() + "/" + file.name();
            assertThat(temp.resolve("target").resolve(path))
                    .hasSameBinaryContentAs(temp.resolve("source").resolve(path));
        }
        assertThat(result.newest()).isEqualTo(new Txid(12));
        assertThat(result.files()).isEqualTo(16);
        assertThat(result.bytes())
                .isEqualTo(files(sourceFiles).values().stream()
                        .mapToLong(LtxFileInfo::size)
                        .sum());
        for (long txid = 1; txid <= 12; txid++) {
            assertThat(restored(targetFiles, RestoreTarget.txid(new Txid(txid))))
                    .isEqualTo(model.image(txid));
        }
    }

    @Test
    void copy_again_copiesOnlyWhatIsNew() throws IOException {
        history();
        copy();
        commits(3);
        int writes = target.calls(Call.WRITE);
        CopyResult result = copy();

        assertThat(target.calls(Call.WRITE) - writes).isEqualTo(3);
        assertThat(result.files()).isEqualTo(3);
        assertThat(result.present()).isEqualTo(19);
        assertThat(result.newest()).isEqualTo(new Txid(15));
        assertThat(copy().files()).isZero();
    }

    /** Ended at each of its calls, and continued. */
    @ParameterizedTest
    @CsvSource({"LIST, false", "OPEN, false", "WRITE, false", "PUBLISH, false", "PUBLISH, true"})
    void copy_endedAtAnyMoment_leavesARestorableTargetAndContinues(Call call, boolean afterwards) throws IOException {
        commits(4);
        model.merge(0, 1, 1, 2);
        model.merge(0, ReplicaClient.SNAPSHOT_LEVEL, 1, 2);
        for (int nth = 1; nth <= 5; nth++) {
            try (ReplicaClient client = FileReplicaProvider.at(Files.createTempDirectory(temp, "target"))) {
                endAt(client, call, nth, afterwards);
                if (!files(client).isEmpty()) {
                    long txid = Restore.newestTxid(client).value();
                    assertThat(restored(client, RestoreTarget.latest())).isEqualTo(model.image(txid));
                }
                ReplicaCopy.copy(sourceFiles, client, CopyOptions.defaults());
                assertThat(files(client)).isEqualTo(files(sourceFiles)).hasSize(6);
            }
        }
    }

    private void endAt(ReplicaClient client, Call call, int nth, boolean afterwards) {
        FaultyReplicaClient from = new FaultyReplicaClient(sourceFiles);
        FaultyReplicaClient to = new FaultyReplicaClient(client);
        FaultyReplicaClient failing = call == Call.LIST || call == Call.OPEN ? from : to;
        if (afterwards) {
            failing.failAfter(call, nth);
        } else {
            failing.before(call, nth, () -> {
                throw new ReplicaAccessException(from.url(), "403", "permit it", null);
            });
        }
        assertThatThrownBy(() -> ReplicaCopy.copy(
                        from, to, CopyOptions.builder().concurrency(3).build()))
                .isInstanceOf(IOException.class);
        assertThat(failing.calls(call)).isGreaterThanOrEqualTo(nth);
    }

    @Test
    void latestOnly_copiesTheFilesOfTheNewestState() throws IOException {
        history();
        CopyResult result = copy(CopyOptions.builder().latestOnly(true));

        assertThat(result.files()).isEqualTo(5);
        assertThat(files(targetFiles).keySet())
                .containsExactlyElementsOf(Restore.plan(sourceFiles, RestoreOptions.defaults()).files().stream()
                        .map(file -> file.level() + "/" + file.name())
                        .sorted()
                        .toList());
        assertThat(restored(targetFiles, RestoreTarget.latest())).isEqualTo(model.latest());
    }

    @Test
    void since_copiesWhatRestoresThatMomentAndAllLaterOnes() throws IOException {
        history();
        copy(CopyOptions.builder().since(ModelReplica.timestamp(6).plusMillis(1)));

        for (long txid = 6; txid <= 12; txid++) {
            assertThat(restored(targetFiles, RestoreTarget.txid(new Txid(txid))))
                    .isEqualTo(model.image(txid));
        }
        assertThat(files(targetFiles))
                .doesNotContainKeys("0/" + ModelReplica.name(1, 1), "1/" + ModelReplica.name(1, 4));
    }

    @Test
    void since_beforeTheOldestState_copiesEverything() throws IOException {
        history();
        copy(CopyOptions.builder().since(ModelReplica.START.minusSeconds(1_000)));
        assertThat(files(targetFiles)).isEqualTo(files(sourceFiles));
    }

    @Test
    void since_inTheFuture_fails() throws IOException {
        history();
        assertThatThrownBy(() -> copy(
                        CopyOptions.builder().since(Clock.systemUTC().instant().plusSeconds(1_000))))
                .isInstanceOfSatisfying(RestoreException.class, e -> assertThat(e.reason())
                        .isEqualTo(RestoreException.Reason.TIME_NOT_AVAILABLE));
    }

    @Test
    void copy_ofAnEmptySource_failsAndWritesNothing() throws IOException {
        assertThatThrownBy(this::copy).isInstanceOfSatisfying(RestoreException.class, e -> assertThat(e.reason())
                .isEqualTo(RestoreException.Reason.NO_BACKUP));
        assertThat(files(targetFiles)).isEmpty();
    }

    private void assertRefused(Reason reason) throws IOException {
        Map<String, LtxFileInfo> before = files(targetFiles);
        assertThatThrownBy(() -> copy(CopyOptions.builder().deleteExtra(true)))
                .isInstanceOfSatisfying(CopyException.class, e -> {
                    assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason);
                    assertThat(e).hasMessageContaining(targetFiles.url()).hasMessageContaining("empty target");
                });
        assertThat(files(targetFiles)).isEqualTo(before);
        assertThat(target.calls(Call.DELETE)).isZero();
    }

    @Test
    void targetOfAnotherDatabase_isRefused() throws IOException {
        history();
        ModelReplica other = new ModelReplica(targetFiles, 1024, 99, 77);
        other.commit(3, 1);
        assertRefused(Reason.DIFFERENT);
    }

    /** Names and sizes are equal. */
    @Test
    void targetOfAnotherHistoryWithEqualSizes_isRefused() throws IOException {
        history();
        copy();
        Path file = fileOf("target", 0, 12, 12);
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 1] ^= 1;
        Files.write(file, bytes);
        assertRefused(Reason.DIFFERENT);
    }

    @Test
    void targetThatIsAhead_isRefused() throws IOException {
        history();
        copy();
        Files.delete(fileOf("source", 0, 12, 12));
        assertRefused(Reason.AHEAD);
    }

    @Test
    void targetWithoutCommonFiles_isRefused() throws IOException {
        history();
        copy(CopyOptions.builder().latestOnly(true));
        for (LtxFileInfo file : files(targetFiles).values()) {
            Files.delete(temp.resolve("source/ltx/" + file.level())
                    .resolve(file.name().toString()));
        }
        model.merge(0, 2, 1, 7);
        commits(4);
        assertRefused(Reason.UNRELATED);
    }

    @Test
    void deleteExtra_deletesWhatTheSourceNoLongerContains() throws IOException {
        history();
        copy();
        for (long txid = 1; txid <= 8; txid++) {
            Files.delete(fileOf("source", 0, txid, txid));
        }
        assertThat(copy().deleted()).isZero();
        assertThat(files(targetFiles)).hasSize(16);

        CopyResult result = copy(CopyOptions.builder().deleteExtra(true));
        assertThat(result.deleted()).isEqualTo(8);
        assertThat(files(targetFiles)).isEqualTo(files(sourceFiles));
    }

    /** Merged at the source between the listing and the reading. */
    @Test
    void filesThatVanish_areReplacedByTheirMergedOnes() throws IOException {
        history();
        source.before(Call.OPEN, 1, () -> {
            model.merge(0, ReplicaClient.SNAPSHOT_LEVEL, 1, 12);
            for (long txid = 9; txid <= 12; txid++) {
                Files.delete(fileOf("source", 0, txid, txid));
            }
            Files.delete(fileOf("source", 0, 3, 3));
        });
        CopyResult result = copy();

        assertThat(result.newest()).isEqualTo(new Txid(12));
        assertThat(files(targetFiles).keySet()).containsAll(files(sourceFiles).keySet());
        assertThat(restored(targetFiles, RestoreTarget.latest())).isEqualTo(model.latest());
    }

    @Test
    void damagedFileThatTheNewestStateDoesNotNeed_isOmittedAndReported() throws IOException {
        history();
        damage(fileOf("source", 1, 1, 4));
        CopyResult result = copy();

        assertThat(result.damaged()).singleElement().satisfies(file -> {
            assertThat(file.level()).isEqualTo(1);
            assertThat(file.maxTxid()).isEqualTo(new Txid(4));
        });
        assertThat(files(targetFiles)).hasSize(15).doesNotContainKey("1/" + ModelReplica.name(1, 4));
    }

    /** Other files lead to the same state. */
    @Test
    void damagedFileOfTheNewestState_isNotCopied() throws IOException {
        history();
        damage(fileOf("source", ReplicaClient.SNAPSHOT_LEVEL, 1, 8));
        CopyResult result = copy();

        assertThat(result.newest()).isEqualTo(new Txid(12));
        assertThat(result.damaged()).hasSize(1);
        assertThat(restored(targetFiles, RestoreTarget.latest())).isEqualTo(model.latest());
    }

    @Test
    void damagedFileWithoutWhichTheNewestStateIsLost_failsTheCopy() throws IOException {
        history();
        damage(fileOf("source", 0, 10, 10));
        assertThatThrownBy(this::copy).isInstanceOfSatisfying(RestoreException.class, e -> assertThat(e.reason())
                .isEqualTo(RestoreException.Reason.DAMAGED));
        assertThat(restored(targetFiles, RestoreTarget.latest())).isEqualTo(model.image(9));
    }

    private static void damage(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 0x40;
        Path damaged = file.resolveSibling("damaged");
        Files.write(damaged, bytes);
        Files.setLastModifiedTime(damaged, Files.getLastModifiedTime(file));
        Files.move(damaged, file, StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    void marks_areCopied() throws IOException {
        history();
        Marks.add(sourceFiles, "before-migration", RestoreTarget.txid(new Txid(4)), null, Clock.systemUTC());
        assertThat(copy().marks()).isEqualTo(1);
        assertThat(restored(targetFiles, RestoreTarget.mark("before-migration")))
                .isEqualTo(model.image(4));
        assertThat(copy().marks()).isZero();
    }

    @Test
    void cancelledCopy_ends() throws IOException {
        history();
        AtomicInteger asked = new AtomicInteger();
        assertThatThrownBy(() -> copy(CopyOptions.builder().cancelled(() -> asked.incrementAndGet() > 40)))
                .isInstanceOf(StopSignal.StoppedException.class);
        assertThat(files(targetFiles)).hasSizeLessThan(16);
    }

    @Test
    void follow_copiesNewFilesAfterAFailureUntilCancelled() throws IOException {
        history();
        boolean[] cancelled = {false};
        List<Txid> reached = new ArrayList<>();
        List<IOException> failures = new ArrayList<>();
        CopyListener listener = new CopyListener() {
            @Override
            public void onResult(CopyResult result) {
                reached.add(result.newest());
                if (reached.size() == 1) {
                    commit();
                    target.failBefore(Call.PREPARE, 1);
                }
                cancelled[0] = reached.size() == 2;
            }

            @Override
            public void onFailure(IOException failure) {
                failures.add(failure);
            }
        };
        ReplicaCopy.follow(
                source,
                target,
                CopyOptions.builder()
                        .listener(listener)
                        .cancelled(() -> cancelled[0])
                        .build(),
                Duration.ofMillis(100));

        assertThat(reached).containsExactly(new Txid(12), new Txid(13));
        assertThat(failures).singleElement().satisfies(e -> assertThat(e).hasMessageContaining("PREPARE"));
        assertThat(files(targetFiles)).isEqualTo(files(sourceFiles));
    }

    private void commit() {
        try {
            commits(1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
