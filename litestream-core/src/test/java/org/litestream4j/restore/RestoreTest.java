package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.replica.FaultyReplicaClient;
import org.litestream4j.replica.FaultyReplicaClient.Call;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.file.FileReplicaProvider;
import org.litestream4j.restore.RestoreException.Reason;
import org.litestream4j.restore.RestoreProgress.Phase;

class RestoreTest {

    private static final int PAGE = 512;

    private static final String OLD = "SQLite format 3\0" + "old".repeat(40);

    @TempDir
    Path temp;

    private ReplicaClient files;
    private FaultyReplicaClient client;
    private ModelReplica model;
    private Path target;

    @BeforeEach
    void openReplica() {
        files = FileReplicaProvider.at(temp.resolve("replica"));
        client = new FaultyReplicaClient(files);
        model = new ModelReplica(files, PAGE, 7);
        target = temp.resolve("data/app.db");
    }

    @AfterEach
    void leavesNoTemporaries() throws IOException {
        files.close();
        if (Files.isDirectory(target.getParent())) {
            try (Stream<Path> children = Files.list(target.getParent())) {
                assertThat(children.map(child -> child.getFileName().toString()))
                        .noneMatch(name -> name.endsWith(".tmp"));
            }
        }
    }

    private RestoreResult restore(RestoreOptions options) throws IOException {
        return Restore.restore(client, target, options);
    }

    /** In parts of so few bytes that also the small files of tests are large ones. */
    private RestoreResult restoreInParts(RestoreOptions options) throws IOException {
        return new RestoreJob(client, target, options, 1500).run();
    }

    private static RestoreOptions force() {
        return RestoreOptions.builder().force(true).build();
    }

    private void assertFails(ThrowingCallable call, Reason reason, String... parts) {
        assertThatThrownBy(call).isInstanceOfSatisfying(RestoreException.class, e -> {
            assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason);
            for (String part : parts) {
                assertThat(e).hasMessageContaining(part);
            }
        });
        assertThat(target).doesNotExist();
    }

    @Test
    void restore_snapshotAndTenSmallFiles_needsOneRequestEachBesideTheListings() throws IOException {
        model.commit(40, 0);
        model.snapshot(1);
        for (int i = 0; i < 10; i++) {
            model.commit(40 + i, 5);
        }
        RestoreResult result = restore(RestoreOptions.defaults());
        assertThat(target).hasBinaryContent(model.latest());
        assertThat(client.calls(Call.OPEN)).isEqualTo(11);
        assertThat(client.calls(Call.LIST)).isEqualTo(10);
        assertThat(client.calls(Call.TIMESTAMP)).isZero();
        assertThat(result.files()).isEqualTo(11);
        assertThat(result.txid()).isEqualTo(new Txid(11));
        assertThat(result.timestamp()).isEqualTo(ModelReplica.timestamp(11));
        assertThat(result.pages()).isEqualTo(49);
        assertThat(result.pageSize()).isEqualTo(PAGE);
        assertThat(result.bytesRead()).isEqualTo(client.bytesRead());
        assertThat(result.movedAside()).isEmpty();
    }

    @Test
    void restore_randomHistories_giveEveryStateExactly() throws IOException {
        for (long seed = 1; seed <= 6; seed++) {
            Random random = new Random(seed);
            ReplicaClient replica = FileReplicaProvider.at(temp.resolve("random" + seed));
            ModelReplica history = new ModelReplica(replica, 512 << random.nextInt(3), seed);
            int states = 12;
            for (int i = 0; i < states; i++) {
                history.commit(1 + random.nextInt(60), random.nextInt(20));
                if (random.nextInt(4) == 0) {
                    history.snapshot(history.newest());
                }
            }
            long middle = 2L + random.nextInt(4);
            history.merge(0, 1, 1, middle);
            history.merge(0, 1, middle + 1, states);
            history.merge(1, 2, 1, states);
            for (long txid = 1; txid <= states; txid++) {
                RestoreOptions options = RestoreOptions.builder()
                        .target(RestoreTarget.txid(new Txid(txid)))
                        .parallelism(1 + random.nextInt(8))
                        .force(true)
                        .build();
                new RestoreJob(replica, target, options, 300 + random.nextInt(5000)).run();
                assertThat(target).as("seed %d, TXID %d", seed, txid).hasBinaryContent(history.image(txid));
            }
            replica.close();
        }
    }

    @Test
    void restore_emptyDatabase_isAnEmptyFile() throws IOException {
        model.commit(3, 0);
        model.put(0, 2, 2, ModelReplica.encode(model.header(2, 2, 0), new TreeMap<>()));
        assertThat(restore(RestoreOptions.defaults()).pages()).isZero();
        assertThat(target).isEmptyFile();
    }

    @Test
    void restore_changedPageSize_beginsAtTheFullImage() throws IOException {
        model.commit(30, 0);
        model.commit(31, 5);
        model.changePageSize(2048, 12);
        model.commit(13, 4);
        assertThat(restoreInParts(RestoreOptions.defaults()).pageSize()).isEqualTo(2048);
        assertThat(target).hasBinaryContent(model.latest());
        restore(RestoreOptions.builder()
                .force(true)
                .target(RestoreTarget.txid(new Txid(2)))
                .build());
        assertThat(target).hasBinaryContent(model.image(2));
    }

    @Test
    void restore_pagesInNoFile_areNeverZeros() throws IOException {
        model.commit(3, 0);
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        pages.put(6L, model.page());
        model.put(0, 2, 2, ModelReplica.encode(model.header(2, 2, 6), pages));
        assertFails(() -> restore(RestoreOptions.defaults()), Reason.DAMAGED, "page 4 is in none of the files");
    }

    @Test
    void restore_anyFileDamagedInAnyWay_isFoundOrHarmless() throws IOException {
        model.commit(60, 0);
        model.snapshot(1);
        model.commit(62, 9);
        model.commit(58, 9);
        List<Path> all = new ArrayList<>();
        for (String name : List.of(
                "9/0000000000000001-0000000000000001.ltx",
                "0/0000000000000002-0000000000000002.ltx",
                "0/0000000000000003-0000000000000003.ltx")) {
            all.add(temp.resolve("replica/ltx").resolve(name));
        }
        Random random = new Random(11);
        int found = 0;
        for (Path file : all) {
            byte[] good = Files.readAllBytes(file);
            for (byte[] bad : damages(good, Files.readAllBytes(all.get((all.indexOf(file) + 1) % 3)), random)) {
                Files.write(file, bad);
                try {
                    new RestoreJob(client, target, force(), random.nextBoolean() ? 1500 : 1_000_000).run();
                    assertThat(target).hasBinaryContent(model.latest());
                } catch (RestoreException e) {
                    assertThat(e.reason()).isEqualTo(Reason.DAMAGED);
                    assertThat(e).hasMessageContaining(file.getFileName().toString());
                    found++;
                }
            }
            Files.write(file, good);
        }
        assertThat(found).isGreaterThan(60);
        restore(force());
        assertThat(target).hasBinaryContent(model.latest());
    }

    private static List<byte[]> damages(byte[] good, byte[] other, Random random) {
        List<byte[]> damages = new ArrayList<>();
        damages.add(other);
        damages.add(new byte[0]);
        damages.add(new byte[good.length]);
        for (int length : new int[] {1, 99, 100, 130, good.length / 2, good.length - 16, good.length - 1}) {
            damages.add(Arrays.copyOf(good, length));
        }
        damages.add(Arrays.copyOf(good, good.length + 1));
        for (int i = 0; i < 30; i++) {
            byte[] flipped = good.clone();
            int at =
                    switch (i % 4) {
                        case 0 -> random.nextInt(100);
                        case 1 -> good.length - 1 - random.nextInt(120);
                        default -> random.nextInt(good.length);
                    };
            flipped[at] ^= (byte) (1 << random.nextInt(8));
            damages.add(flipped);
        }
        return damages;
    }

    @Test
    void restore_renamedFile_isFound() throws IOException {
        model.commit(6, 0);
        model.commit(6, 3);
        model.commit(6, 3);
        Path level = temp.resolve("replica/ltx/0");
        Files.delete(level.resolve(ModelReplica.name(2, 2).toString()));
        Files.move(
                level.resolve(ModelReplica.name(3, 3).toString()),
                level.resolve(ModelReplica.name(2, 2).toString()));
        assertFails(() -> restore(RestoreOptions.defaults()), Reason.DAMAGED, "0000000000000002-0000000000000002.ltx");
        assertFails(
                () -> restoreInParts(RestoreOptions.defaults()),
                Reason.DAMAGED,
                "0000000000000002-0000000000000002.ltx");
    }

    @Test
    void restore_missingFile_isAGap() throws IOException {
        model.commit(6, 0);
        model.commit(6, 3);
        model.commit(6, 3);
        files.delete(0, List.of(ModelReplica.name(2, 2)));
        assertFails(() -> restore(RestoreOptions.defaults()), Reason.GAP, "0000000000000002 to 0000000000000002");
    }

    @Test
    void restore_nothingThere_isNoBackup() {
        assertFails(() -> restore(RestoreOptions.defaults()), Reason.NO_BACKUP, files.url());
    }

    @Test
    void restore_onlyABackupOfOldLitestream_isNotTakenForNone() throws IOException {
        Files.createDirectories(temp.resolve("replica/generations/f67f47c47bf2f585/snapshots"));
        assertFails(() -> restore(RestoreOptions.defaults()), Reason.OTHER_FORMAT, "Litestream 0.3");
        model.commit(6, 0);
        restore(RestoreOptions.defaults());
    }

    @Test
    void restore_filesVanishOnceMerged_plansAgain() throws IOException {
        model.commit(40, 0);
        for (int i = 0; i < 8; i++) {
            model.commit(40 + i, 6);
        }
        client.before(Call.OPEN, 4, () -> {
            model.merge(0, 1, 1, 8);
            for (long txid = 1; txid <= 8; txid++) {
                files.delete(0, List.of(ModelReplica.name(txid, txid)));
            }
        });
        RestoreResult result = restore(RestoreOptions.defaults());
        assertThat(target).hasBinaryContent(model.latest());
        assertThat(result.files()).isEqualTo(2);
        assertThat(client.calls(Call.LIST)).isEqualTo(20);
    }

    @Test
    void restore_filesVanishAgainAndAgain_givesUp() throws IOException {
        model.commit(4, 0);
        model.commit(4, 1);
        for (int i = 1; i <= 30; i++) {
            client.before(Call.OPEN, i, () -> files.delete(0, List.of(ModelReplica.name(1, 1))));
            client.before(Call.LIST, i * 10 - 9, () -> {
                try {
                    model.put(0, 1, 1, model.snapshotBytes(1));
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
        }
        files.delete(0, List.of(ModelReplica.name(1, 1)));
        assertFails(() -> restore(RestoreOptions.defaults()), Reason.VANISHED, "0000000000000001");
    }

    @Test
    void restore_brokenConnections_goOnAtTheByte() throws IOException {
        model.commit(200, 0);
        model.commit(200, 20);
        client.breakStream(1, 777)
                .breakStream(2, 5000)
                .breakStream(3, 0)
                .breakStream(4, 1)
                .readShort(3);
        RestoreResult result = restore(RestoreOptions.defaults());
        assertThat(target).hasBinaryContent(model.latest());
        assertThat(client.calls(Call.OPEN)).isEqualTo(2 + 4);
        assertThat(client.bytesRead()).isEqualTo(result.bytesRead()).isEqualTo(size(0, 1) + size(0, 2));
    }

    private long size(int level, long txid) throws IOException {
        return Files.size(temp.resolve("replica/ltx/" + level)
                .resolve(ModelReplica.name(txid, txid).toString()));
    }

    @Test
    void restore_requestsFailAtRandom_stillExact() throws IOException {
        model.commit(300, 0);
        for (int i = 0; i < 5; i++) {
            model.commit(300, 30);
        }
        for (long seed = 1; seed <= 3; seed++) {
            FaultyReplicaClient faulty = new FaultyReplicaClient(files);
            for (int i = 2; i < 60; i += 2 + (int) seed) {
                faulty.failBefore(Call.OPEN, i);
            }
            new RestoreJob(faulty, target, force(), 4000).run();
            assertThat(target).as("seed %d", seed).hasBinaryContent(model.latest());
        }
    }

    @Test
    @Tag("slow") // it waits some seconds before it gives up
    void restore_replicaStaysUnreachable_failsWithItsError() throws IOException {
        model.commit(4, 0);
        for (int i = 1; i <= 20; i++) {
            client.failBefore(Call.OPEN, i);
        }
        assertThatThrownBy(() -> restore(RestoreOptions.defaults()))
                .isInstanceOf(IOException.class)
                .hasMessage("fault before OPEN");
        assertThat(target).doesNotExist();
    }

    @Test
    void restore_targetExists_isRefusedAndUntouched() throws IOException {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        Files.writeString(target, "precious");
        assertThatThrownBy(() -> restore(RestoreOptions.defaults()))
                .isInstanceOfSatisfying(
                        RestoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TARGET_EXISTS))
                .hasMessageContaining(target.toString());
        assertThat(target).hasContent("precious");
        assertThat(client.calls(Call.LIST)).isZero();
    }

    @Test
    void restore_targetAppearsMeanwhile_isUntouched() throws IOException {
        model.commit(4, 0);
        client.before(Call.OPEN, 1, () -> Files.writeString(target, "precious"));
        assertThatThrownBy(() -> restore(RestoreOptions.defaults()))
                .isInstanceOfSatisfying(
                        RestoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TARGET_EXISTS));
        assertThat(target).hasContent("precious");
    }

    @Test
    void restore_targetOfZeroBytes_countsAsMissing() throws IOException {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        Files.createFile(target);
        restore(RestoreOptions.defaults());
        assertThat(target).hasBinaryContent(model.latest());
    }

    @Test
    void restore_targetIsAFolder_isRefused() throws IOException {
        model.commit(4, 0);
        Files.createDirectories(target);
        assertThatThrownBy(() -> restore(force()))
                .isInstanceOf(RestoreException.class)
                .hasMessageContaining("folder");
    }

    @Test
    void restore_folderOfTheTargetIsAFile_isRefusedByName() throws IOException {
        model.commit(5, 0);
        Path file = Files.writeString(temp.resolve("file"), "precious");
        for (String name : List.of("app.db", "below/app.db")) {
            assertThatThrownBy(() -> Restore.restore(client, file.resolve(name), force()))
                    .isInstanceOf(RestoreException.class)
                    .hasMessageContaining(file + " is not a folder; name another database file");
        }
        assertThat(file).hasContent("precious");
    }

    @Test
    void restore_force_replacesAndKeepsAccess() throws IOException {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        Files.writeString(target, OLD);
        Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rw-r--r--"));
        restore(force());
        assertThat(target).hasBinaryContent(model.latest());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(target)))
                .isEqualTo("rw-r--r--");
    }

    @Test
    void restore_forceOverADatabaseInUse_isRefused() throws Exception {
        model.commit(4, 0);
        try (Connection user = useDatabase("WAL")) {
            assertInUse(force());
            execute(user, "INSERT INTO t VALUES (2)");
            assertThat(query(user, "SELECT count(*) FROM t")).isEqualTo(2);
            assertThat(query(user, "PRAGMA wal_checkpoint")).isZero();
        }
        restore(force());
        assertThat(target).hasBinaryContent(model.latest());
    }

    @Test
    void restore_forceOverADatabaseInATransaction_isRefused() throws Exception {
        model.commit(4, 0);
        try (Connection user = useDatabase("DELETE")) {
            execute(user, "BEGIN", "SELECT * FROM t");
            assertInUse(force());
            execute(user, "INSERT INTO t VALUES (2)", "COMMIT");
        }
        restore(force());
        assertThat(target).hasBinaryContent(model.latest());
    }

    @Test
    void restore_forceOverADatabaseThatIsOpenedMeanwhile_isRefused() throws Exception {
        model.commit(4, 0);
        useDatabase("WAL").close();
        List<Connection> users = new ArrayList<>();
        RestoreOptions options = RestoreOptions.builder()
                .force(true)
                .listener(progress -> {
                    if (progress.phase() == Phase.PUBLISHING && users.isEmpty()) {
                        users.add(useDatabase("WAL"));
                    }
                })
                .build();
        assertInUse(options);
        try (Connection user = users.get(0)) {
            assertThat(query(user, "SELECT count(*) FROM t")).isEqualTo(2);
        }
    }

    @Test
    void restore_overAnEmptyFileInATransaction_isRefused() throws Exception {
        assumeThat(Path.of("/proc/locks")).as("the list of locks of Linux").isReadable();
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        Files.createFile(target);
        try (Connection user = DriverManager.getConnection("jdbc:sqlite:" + target)) {
            execute(user, "BEGIN IMMEDIATE");
            assertInUse(RestoreOptions.defaults());
            execute(user, "ROLLBACK");
        }
        restore(RestoreOptions.defaults());
        assertThat(target).hasBinaryContent(model.latest());
    }

    private void assertInUse(RestoreOptions options) {
        assertThatThrownBy(() -> restore(options))
                .isInstanceOfSatisfying(
                        RestoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TARGET_EXISTS))
                .hasMessageContaining("another connection has it open");
    }

    private Connection useDatabase(String journalMode) {
        try {
            Files.createDirectories(target.getParent());
            Connection user = DriverManager.getConnection("jdbc:sqlite:" + target);
            execute(
                    user,
                    "PRAGMA journal_mode=" + journalMode,
                    "CREATE TABLE IF NOT EXISTS t(x)",
                    "INSERT INTO t VALUES (1)");
            return user;
        } catch (IOException | SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void restore_forceButDamagedReplica_keepsTheOldFile() throws IOException {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        Files.writeString(target, OLD);
        Path wal = Files.writeString(target.resolveSibling("app.db-wal"), "old wal");
        Path file =
                temp.resolve("replica/ltx/0").resolve(ModelReplica.name(1, 1).toString());
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 1] ^= 1;
        Files.write(file, bytes);
        assertThatThrownBy(() -> restore(force())).isInstanceOf(RestoreException.class);
        assertThat(target).hasContent(OLD);
        assertThat(wal).hasContent("old wal");
    }

    @Test
    void restore_newFile_isForItsOwnerOnly() throws IOException {
        model.commit(4, 0);
        restore(RestoreOptions.defaults());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(target)))
                .isEqualTo("rw-------");
    }

    @Test
    void restore_symbolicLink_replacesWhatItPointsTo() throws IOException {
        model.commit(4, 0);
        Path real = Files.writeString(temp.resolve("real.db"), OLD);
        Files.createDirectories(target.getParent());
        Files.createSymbolicLink(target, real);
        restore(force());
        assertThat(real).hasBinaryContent(model.latest());
        assertThat(target).isSymbolicLink();
    }

    @Test
    void restore_linkToAMissingFile_createsWhatItPointsTo() throws IOException {
        model.commit(5, 0);
        Files.createDirectories(target.getParent());
        Files.createSymbolicLink(target, Path.of("next"));
        Files.createSymbolicLink(target.resolveSibling("next"), temp.resolve("elsewhere/real.db"));
        RestoreResult result = restore(RestoreOptions.defaults());
        assertThat(target).isSymbolicLink().hasBinaryContent(model.latest());
        assertThat(result.target()).isEqualTo(temp.resolve("elsewhere/real.db")).isRegularFile();
    }

    @Test
    void restore_targetBelowALinkedFolder_keepsItsName() throws IOException {
        model.commit(5, 0);
        Files.createDirectories(temp.resolve("real"));
        Path linked = Files.createSymbolicLink(temp.resolve("linked"), temp.resolve("real"));
        for (RestoreOptions options : List.of(RestoreOptions.defaults(), force())) {
            assertThat(Restore.restore(client, linked.resolve("app.db"), options)
                            .target())
                    .isEqualTo(linked.resolve("app.db"))
                    .hasBinaryContent(model.latest());
        }
    }

    @Test
    void restore_linkToItself_isRefused() throws IOException {
        model.commit(5, 0);
        Files.createDirectories(target.getParent());
        Files.createSymbolicLink(target, target);
        assertThatThrownBy(() -> restore(force()))
                .isInstanceOf(FileSystemLoopException.class)
                .hasMessageContaining(target.toString());
        assertThat(client.calls(Call.LIST)).isZero();
    }

    @Test
    void restore_targetIsNoFile_isRefusedAlsoWithForce() throws Exception {
        model.commit(5, 0);
        Files.createDirectories(target.getParent());
        assertThat(new ProcessBuilder("mkfifo", target.toString()).start().waitFor())
                .isZero();
        for (RestoreOptions options : List.of(RestoreOptions.defaults(), force())) {
            assertThatThrownBy(() -> restore(options))
                    .isInstanceOfSatisfying(
                            RestoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TARGET_EXISTS))
                    .hasMessageContaining("is a device, a pipe or a socket");
        }
        assertThat(Files.readAttributes(target, BasicFileAttributes.class).isOther())
                .isTrue();
        assertThat(client.calls(Call.LIST)).isZero();
    }

    @Test
    void restore_leftoverBesideTheTarget_isRefusedByName() throws IOException {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        for (String suffix : List.of("-wal", "-shm", "-journal")) {
            Path leftover = Files.writeString(target.resolveSibling("app.db" + suffix), "left");
            assertFails(() -> restore(RestoreOptions.defaults()), Reason.LEFTOVERS, leftover.toString());
            assertThat(leftover).hasContent("left");
            Files.delete(leftover);
        }
    }

    @Test
    void restore_leftoversMovedAside_areKeptUnderOtherNames() throws IOException {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        Files.writeString(target.resolveSibling("app.db-wal"), "wal");
        Files.writeString(target.resolveSibling("app.db-shm"), "shm");
        RestoreResult result =
                restore(RestoreOptions.builder().moveLeftoversAside(true).build());
        assertThat(target).hasBinaryContent(model.latest());
        assertThat(target.resolveSibling("app.db-wal")).doesNotExist();
        assertThat(target.resolveSibling("app.db-shm")).doesNotExist();
        assertThat(result.movedAside()).hasSize(2);
        assertThat(result.movedAside().get(0)).hasContent("wal");
        assertThat(result.movedAside().get(1)).hasContent("shm");
    }

    @Test
    void restore_temporariesOfKilledProcesses_areDeleted() throws IOException {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        long ended = 4_190_000; // beyond Linux's largest process number
        long parent = ProcessHandle.current().parent().orElseThrow().pid();
        String random = "-0123456789abcdef.tmp";
        Path ours = Files.createFile(target.resolveSibling(
                ".app.db.restore-" + ProcessHandle.current().pid() + random));
        Path theirs = Files.createFile(target.resolveSibling(".app.db.restore-" + ended + random));
        Path running = Files.createFile(target.resolveSibling(".app.db.restore-" + parent + random));
        Path other = Files.createFile(target.resolveSibling(".app.db2.restore-" + ended + random));
        Path foreign = Files.createFile(target.resolveSibling(".app.db.restore-mine.tmp"));
        restore(RestoreOptions.defaults());
        assertThat(ours).doesNotExist();
        assertThat(theirs).doesNotExist();
        for (Path kept : List.of(running, other, foreign)) {
            assertThat(kept).exists();
            Files.delete(kept);
        }
    }

    /** Equal process numbers, as in two containers with one volume. */
    @Test
    void restore_temporaryOfAProcessWithTheSameNumber_isKeptWhileThatRuns() throws Exception {
        model.commit(4, 0);
        Files.createDirectories(target.getParent());
        String ours = ".app.db.restore-" + ProcessHandle.current().pid() + "-0123456789abcdef.tmp";
        Path kept = target.resolveSibling(ours);
        Path lock = target.resolveSibling(ours + ".lock");
        Process other = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        TemporaryFileChild.class.getName(),
                        target.getParent().toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader lines = other.inputReader()) {
            Path theirs = Path.of(lines.readLine());
            Files.move(theirs.resolveSibling(theirs.getFileName() + ".lock"), lock);
            Files.move(theirs, kept);
            restore(RestoreOptions.defaults());
            assertThat(kept).exists();
            assertThat(lock).exists();
        } finally {
            other.destroyForcibly().waitFor();
        }
        restore(force());
        assertThat(kept).doesNotExist();
        assertThat(lock).doesNotExist();
        assertThat(target.getParent().toFile().list()).containsExactly("app.db");
    }

    @ParameterizedTest
    @ValueSource(strings = {"precious", "x", "SQLite format 2", "random"})
    void restore_forceOverAFileThatIsNoDatabase_isRefused(String content) throws IOException {
        model.commit(4, 0);
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        if (content.equals("random")) {
            bytes = new byte[100_000];
            new Random(3).nextBytes(bytes);
        }
        Files.createDirectories(target.getParent());
        Files.write(target, bytes);
        assertThatThrownBy(() -> restore(force()))
                .isInstanceOfSatisfying(
                        RestoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TARGET_EXISTS))
                .hasMessageContaining("is not an SQLite database")
                .hasMessageContaining(target.toString());
        assertThat(target).hasBinaryContent(bytes);
        assertThat(client.calls(Call.LIST)).isZero();
    }

    /** A store's clock behind the writer's, or coarse times: the listed times are too early. */
    @ParameterizedTest
    @ValueSource(longs = {1, 900, 5_000, 60_000})
    void restore_byTimeWithListedTimesTooEarly_neverIncludesLaterCommits(long millisEarly) throws IOException {
        int states = 9;
        for (int i = 0; i < states; i++) {
            model.commit(5 + i, 3);
        }
        model.snapshot(4);
        model.merge(0, 1, 2, 6);
        try (Stream<Path> all = Files.walk(temp.resolve("replica"))) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                Files.setLastModifiedTime(
                        file,
                        FileTime.from(
                                Files.getLastModifiedTime(file).toInstant().minusMillis(millisEarly)));
            }
        }
        for (long txid = 2; txid <= states; txid++) {
            for (Instant moment : List.of(
                    ModelReplica.timestamp(txid), ModelReplica.timestamp(txid).plusMillis(500))) {
                RestoreResult result = restore(RestoreOptions.builder()
                        .force(true)
                        .target(RestoreTarget.timestamp(moment))
                        .build());
                assertThat(result.timestamp()).as("%s", moment).isBefore(moment);
                long expected = moment.equals(ModelReplica.timestamp(txid)) ? txid - 1 : txid;
                assertThat(result.txid()).isEqualTo(new Txid(expected));
                assertThat(target).hasBinaryContent(model.image(expected));
            }
        }
        assertThatThrownBy(() -> restore(RestoreOptions.builder()
                        .force(true)
                        .target(RestoreTarget.timestamp(ModelReplica.timestamp(1)))
                        .build()))
                .isInstanceOfSatisfying(
                        RestoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TIME_NOT_AVAILABLE));
    }

    @ParameterizedTest
    @ValueSource(longs = {1_500, 1_000_000})
    void restore_fileReplacedWhileItIsRead_isReadFromItsBeginning(long partSize) throws IOException {
        model.commit(300, 0);
        model.commit(300, 20);
        Path file =
                temp.resolve("replica/ltx/0").resolve(ModelReplica.name(1, 1).toString());
        ModelReplica other = new ModelReplica(FileReplicaProvider.at(temp.resolve("other")), PAGE, 8);
        other.commit(300, 0);
        Path replacement =
                temp.resolve("other/ltx/0").resolve(file.getFileName().toString());
        byte[] expected = model.latest().clone();
        SortedMap<Long, byte[]> changed = pagesOf(2);
        for (int i = 0; i < 300; i++) {
            byte[] page = changed.get(i + 1L);
            System.arraycopy(
                    page == null ? other.image(1) : page, page == null ? i * PAGE : 0, expected, i * PAGE, PAGE);
        }
        client.breakStream(partSize > 10_000 ? 2 : 5, 700);
        client.before(
                Call.OPEN,
                partSize > 10_000 ? 3 : 7,
                () -> Files.move(
                        replacement, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING));
        new RestoreJob(client, target, RestoreOptions.builder().parallelism(1).build(), partSize).run();
        assertThat(target).hasBinaryContent(expected);
    }

    private SortedMap<Long, byte[]> pagesOf(long txid) throws IOException {
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        try (LtxReader reader =
                LtxReader.open(files.open(0, ModelReplica.name(txid, txid), 0, ReplicaClient.TO_END), "file")) {
            while (reader.next()) {
                pages.put(reader.pgno(), reader.page().clone());
            }
        }
        return pages;
    }

    @ParameterizedTest
    @CsvSource({"9, 1, 4, 1500", "9, 1, 4, 1000000", "1, 1, 6, 1500", "1, 7, 8, 1000000", "2, 1, 8, 1500"})
    void restore_damagedFile_goesAnotherWayToTheSameState(int level, long min, long max, long partSize)
            throws IOException {
        for (int i = 0; i < 9; i++) {
            model.commit(30 + i, 5);
        }
        model.snapshot(4);
        model.merge(0, 1, 1, 6);
        model.merge(0, 1, 7, 8);
        model.merge(1, 2, 1, 8);
        flip(level, min, max);
        for (long txid : new long[] {4, 6, 8, 9}) {
            RestoreOptions options = RestoreOptions.builder()
                    .force(true)
                    .target(RestoreTarget.txid(new Txid(txid)))
                    .build();
            new RestoreJob(client, target, options, partSize).run();
            assertThat(target).hasBinaryContent(model.image(txid));
        }
        new RestoreJob(client, target, force(), partSize).run();
        assertThat(target).hasBinaryContent(model.latest());
    }

    @Test
    void restore_onlyWayIsDamaged_isNeverAnOlderState() throws IOException {
        for (int i = 0; i < 5; i++) {
            model.commit(30 + i, 5);
        }
        model.snapshot(3);
        flip(0, 5, 5);
        assertFails(
                () -> restore(RestoreOptions.defaults()),
                Reason.DAMAGED,
                ModelReplica.name(5, 5).toString());
        assertFails(
                () -> restore(RestoreOptions.builder()
                        .target(RestoreTarget.timestamp(
                                ModelReplica.timestamp(5).plusMillis(1)))
                        .build()),
                Reason.DAMAGED,
                ModelReplica.name(5, 5).toString());
    }

    private void flip(int level, long min, long max) throws IOException {
        Path file = temp.resolve("replica/ltx/" + level)
                .resolve(ModelReplica.name(min, max).toString());
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 3] ^= 4;
        FileTime time = Files.getLastModifiedTime(file);
        Files.write(file, bytes);
        Files.setLastModifiedTime(file, time);
    }

    private void wal(long txid, long offset, long size, int salt, long... pgnos) throws IOException {
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        for (long pgno : pgnos) {
            pages.put(pgno, model.page());
        }
        if (pages.containsKey(1L)) {
            System.arraycopy(ModelReplica.MAGIC, 0, pages.get(1L), 0, ModelReplica.MAGIC.length);
        }
        LtxHeader header = LtxHeader.of(
                PAGE,
                4,
                new Txid(txid),
                new Txid(txid),
                ModelReplica.timestamp(txid).toEpochMilli(),
                new WalRange(offset, size, salt, salt + 1));
        model.put(0, txid, txid, ModelReplica.encode(header, pages));
    }

    private void assertSoundUntil(long sound, long newest) throws IOException {
        for (long txid = sound + 1; txid <= newest; txid++) {
            RestoreOptions options = RestoreOptions.builder()
                    .target(RestoreTarget.txid(new Txid(txid)))
                    .build();
            assertFails(() -> restore(options), Reason.CHECKSUM, "last sound", "restore TXID " + new Txid(sound) + ",");
        }
        assertFails(() -> restore(RestoreOptions.defaults()), Reason.CHECKSUM, "ignore-database-checksum");
        restore(RestoreOptions.builder().compareChecksum(false).build());
        restore(RestoreOptions.builder()
                .force(true)
                .target(RestoreTarget.txid(new Txid(sound)))
                .build());
    }

    @Test
    void restore_fileOfAnotherWriterBetween_isRefusedWithTheLastSoundTxid() throws IOException {
        wal(1, 32, 4 * 536, 1, 1, 2, 3, 4);
        wal(2, 32 + 4 * 536, 536, 1, 2);
        wal(3, 32, 536, 9, 2); // the beginning of another program's WAL
        wal(4, 32 + 5 * 536, 536, 1, 3);
        assertSoundUntil(3, 4);
    }

    @Test
    void restore_rangesOfOneWalThatLeaveFramesOut_areRefused() throws IOException {
        wal(1, 32, 4 * 536, 1, 1, 2, 3, 4);
        wal(2, 32 + 4 * 536, 536, 1, 2);
        wal(3, 32 + 6 * 536, 536, 1, 3);
        wal(4, 32 + 7 * 536, 536, 1, 4);
        assertSoundUntil(2, 4);
    }

    @Test
    void restore_rangeThatEndsBeforeTheStateItFollows_isRefused() throws IOException {
        wal(1, 32, 4 * 536, 1, 1, 2, 3, 4);
        wal(2, 32 + 4 * 536, 5 * 536, 1, 2, 3);
        wal(3, 32 + 5 * 536, 536, 1, 3);
        assertSoundUntil(2, 3);
    }

    @Test
    void restore_chainsThatContinue_areNotRefused() throws IOException {
        wal(1, 32, 4 * 536, 1, 1, 2, 3, 4);
        wal(2, 32 + 4 * 536, 536, 1, 2);
        wal(3, 32 + 3 * 536, 3 * 536, 1, 2, 3); // a part again, and more
        wal(4, 32, 536, 7, 2); // the WAL was reset
        wal(5, 32 + 536, 536, 7, 3);
        wal(6, 32 + 9 * 536, 536, 1, 1, 2, 3, 4); // a complete image
        wal(7, 32 + 10 * 536, 536, 1, 2);
        wal(8, 32, 0, 0, 3); // not from a WAL
        wal(9, 32, 536, 3, 3);
        for (long txid = 1; txid <= 9; txid++) {
            restore(RestoreOptions.builder()
                    .force(true)
                    .target(RestoreTarget.txid(new Txid(txid)))
                    .build());
        }
    }

    @Test
    void restore_moreThanTheDiskHolds_isRefusedBeforeTheDownload() throws IOException {
        model.commit(4, 0);
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        pages.put(1L, new byte[65536]);
        ModelReplica huge = new ModelReplica(files, 65536, 1);
        model.put(0, 2, 2, ModelReplica.encode(huge.header(2, 2, 2_000_000_000L), pages));
        assertFails(() -> restore(RestoreOptions.defaults()), Reason.NO_SPACE, "131072000000000 bytes");
        assertThat(client.calls(Call.OPEN)).isEqualTo(1);
    }

    @Test
    void restore_integrityCheckFindsGarbage_failsOnlyIfWanted() throws IOException {
        model.commit(4, 0); // random bytes, no database
        for (IntegrityCheck check : List.of(IntegrityCheck.QUICK, IntegrityCheck.FULL)) {
            assertFails(
                    () -> restore(RestoreOptions.builder().integrityCheck(check).build()), Reason.INTEGRITY);
        }
        restore(RestoreOptions.defaults());
        assertThat(target).exists();
    }

    @Test
    void restore_futureMoment_isRefusedWithTheRange() throws IOException {
        model.commit(4, 0);
        Clock clock = Clock.fixed(ModelReplica.timestamp(5), ZoneOffset.UTC);
        assertFails(
                () -> restore(RestoreOptions.builder()
                        .clock(clock)
                        .target(RestoreTarget.timestamp(ModelReplica.timestamp(6)))
                        .build()),
                Reason.TIME_NOT_AVAILABLE,
                "in the future",
                "TXID 0000000000000001");
        restore(RestoreOptions.builder()
                .clock(clock)
                .target(RestoreTarget.timestamp(ModelReplica.timestamp(5)))
                .build());
        assertThat(target).hasBinaryContent(model.latest());
    }

    @Test
    void restore_cancelled_stopsAndLeavesNothing() throws IOException {
        model.commit(300, 0);
        model.commit(300, 30);
        AtomicInteger asked = new AtomicInteger();
        for (int after : new int[] {0, 1}) {
            asked.set(0);
            client.breakStream(1, 10);
            assertFails(
                    () -> restore(RestoreOptions.builder()
                            .cancelled(() -> asked.getAndIncrement() >= after)
                            .build()),
                    Reason.CANCELLED);
        }
    }

    @Test
    void restore_callerInterrupted_endsWithoutLosingTheInterrupt() throws IOException {
        model.commit(300, 0);
        client.before(Call.OPEN, 2, () -> {});
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(() -> restore(RestoreOptions.defaults())).isInstanceOf(IOException.class);
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        } finally {
            Thread.interrupted();
        }
        assertThat(target).doesNotExist();
    }

    @Test
    void restore_listener_hearsAllPhasesInOrder() throws IOException {
        model.commit(300, 0);
        List<RestoreProgress> heard = new ArrayList<>();
        restore(RestoreOptions.builder().listener(heard::add).build());
        assertThat(heard.stream().map(RestoreProgress::phase).distinct())
                .containsExactly(Phase.PLANNING, Phase.READING, Phase.CHECKING, Phase.PUBLISHING, Phase.DONE);
        RestoreProgress last = heard.get(heard.size() - 1);
        assertThat(last.bytes()).isEqualTo(last.totalBytes()).isEqualTo(size(0, 1));
        assertThat(last.pages()).isEqualTo(last.totalPages()).isEqualTo(300);
        assertThat(last.files()).isEqualTo(last.totalFiles()).isEqualTo(1);
        assertThat(last.remaining().orElse(Duration.ZERO)).isZero();
    }

    @Test
    void plan_replica_readsNoFile() throws IOException {
        model.commit(3, 0);
        model.commit(3, 1);
        RestorePlan plan = Restore.plan(client, RestoreOptions.defaults());
        assertThat(plan.txid()).isEqualTo(new Txid(2));
        assertThat(plan.files()).hasSize(2);
        assertThat(client.calls(Call.OPEN)).isZero();
        assertThat(Restore.range(client))
                .contains(new RestorableRange(
                        new Txid(1), ModelReplica.timestamp(1), new Txid(2), ModelReplica.timestamp(2)));
    }
}
