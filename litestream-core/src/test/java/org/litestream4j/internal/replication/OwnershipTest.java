package org.litestream4j.internal.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaLostException;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.Replicas;
import org.litestream4j.testing.ManualClock;

class OwnershipTest {

    private static final Duration VALIDITY = Duration.ofSeconds(150);

    @TempDir
    Path folder;

    private final ManualClock clock = new ManualClock();
    private final AtomicInteger requests = new AtomicInteger();
    private ReplicaClient client;
    private Ownership ownership;

    /** Whether a file can be looked for without a request, as in a folder. */
    private boolean local;

    @BeforeEach
    void open() {
        ReplicaClient files = Replicas.open(ReplicaLocation.of(folder.toUri().toString()));
        client = (ReplicaClient) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {ReplicaClient.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("place") && !local) {
                        return "";
                    }
                    if (!method.getName().equals("place")) {
                        requests.incrementAndGet();
                    }
                    try {
                        return method.invoke(files, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        ownership = new Ownership(client, clock, clock::nanoTime, VALIDITY);
    }

    @AfterEach
    void close() throws IOException {
        client.close();
    }

    @Test
    void freshProof_asksNothing() throws IOException {
        write(0, 1, 1);
        ownership.restart(new Txid(1), false, ownership.now());
        requests.set(0);
        clock.advance(VALIDITY.minusSeconds(1));
        ownership.ensure();
        assertThat(requests).hasValue(0);
        ownership.recordWritten(new Txid(2), ownership.now());
        clock.advance(VALIDITY.minusSeconds(1));
        ownership.ensure();
        assertThat(requests).hasValue(0);
    }

    @Test
    void expiredProof_isRenewedByListing() throws IOException {
        write(0, 1, 1);
        write(1, 1, 1);
        ownership.restart(new Txid(1), false, ownership.now());
        for (Runnable expiry : expiries()) {
            requests.set(0);
            expiry.run();
            ownership.ensure();
            assertThat(requests.get()).isPositive();
            requests.set(0);
            ownership.ensure();
            assertThat(requests).hasValue(0);
        }
    }

    /** A machine that was suspended stops one of the two clocks; a clock that was set back proves nothing. */
    private Runnable[] expiries() {
        return new Runnable[] {
            () -> clock.advance(VALIDITY),
            () -> clock.jump(VALIDITY),
            () -> clock.advanceMonotonic(VALIDITY),
            () -> clock.jump(Duration.ofHours(-1))
        };
    }

    @Test
    void ownFilesOnEveryLevel_areNoConflict() throws IOException {
        write(9, 1, 5);
        write(1, 2, 7);
        write(0, 8, 8);
        ownership.restart(new Txid(7), false, ownership.now());
        ownership.claim(0, LtxFileName.of(new Txid(8)));
        clock.advance(VALIDITY);
        ownership.ensure();
        assertThat(requests.get()).isPositive();
    }

    @Test
    void whoSleptWhileAnotherWroteMergedAndRetired_findsOut() throws IOException {
        write(0, 1, 1);
        write(0, 2, 2);
        ownership.restart(new Txid(2), false, ownership.now()); // and falls asleep
        for (long txid = 3; txid <= 32; txid++) {
            write(0, txid, txid);
        }
        write(1, 1, 32);
        for (long txid = 1; txid <= 32; txid++) {
            client.delete(0, List.of(LtxFileName.of(new Txid(txid))));
        }
        clock.advance(Duration.ofMinutes(10));
        assertThatThrownBy(ownership::ensure)
                .isInstanceOf(ReplicaConflictException.class)
                .hasMessageContaining("0000000000000020")
                .hasMessageContaining("stop the other writer");
    }

    @Test
    void claimedTransactionThatAnotherWroteMergedAndRetired_isAConflict() throws IOException {
        write(0, 1, 2);
        ownership.restart(new Txid(2), false, ownership.now());
        ownership.claim(0, LtxFileName.of(new Txid(3))); // and falls asleep in the middle of the upload
        write(1, 1, 3);
        clock.advance(Duration.ofMinutes(10));
        assertThatThrownBy(ownership::ensure).isInstanceOf(ReplicaConflictException.class);
    }

    @Test
    void longWrite_provesWhatWasWhenItBegan() throws IOException {
        ownership.restart(Txid.NONE, false, ownership.now());
        Ownership.Moment begun = ownership.now();
        clock.advance(VALIDITY);
        write(0, 1, 1);
        ownership.recordWritten(new Txid(1), begun);
        requests.set(0);
        ownership.ensure();
        assertThat(requests.get()).isPositive();
    }

    /** The files are gone, their folders are there: nothing but a look tells. */
    @Test
    void whatWasWrittenAndIsGone_isMissedWithinSeconds() throws IOException {
        write(0, 1, 1);
        ownership.restart(new Txid(1), false, ownership.now());
        LtxFileInfo second = write(0, 2, 2);
        ownership.recordWritten(new Txid(2), ownership.now());
        ownership.published(second, 0);
        clock.advance(Duration.ofSeconds(9));
        requests.set(0);
        ownership.ensure();
        assertThat(requests).as("not yet").hasValue(0);
        clock.advance(Duration.ofSeconds(1));
        assertThat(ownership.nanosUntilCheck()).isZero();
        ownership.ensure();
        assertThat(requests).as("one look").hasValue(1);
        assertThat(ownership.nanosUntilCheck())
                .as("no more while nothing is written")
                .isNegative();
        client.delete(0, List.of(LtxFileName.of(new Txid(1)), LtxFileName.of(new Txid(2))));
        clock.advance(Duration.ofSeconds(10));
        assertThatThrownBy(ownership::ensure)
                .isInstanceOf(ReplicaLostException.class)
                .hasMessageContaining("no longer contains");
    }

    /** As programs do that write without looking. */
    @Test
    void ownFileThatWasOverwritten_isAConflict() throws IOException {
        write(0, 1, 1);
        ownership.restart(new Txid(1), false, ownership.now());
        ownership.published(write(0, 2, 2), 7);
        ownership.recordWritten(new Txid(2), ownership.now());
        clock.advance(Duration.ofSeconds(10));
        assertThatThrownBy(ownership::ensure)
                .isInstanceOf(ReplicaConflictException.class)
                .hasMessageContaining("it was overwritten");
    }

    /** Where retention is left to the store, it may delete the newest file, too. */
    @Test
    void newestFileThatOnlyALevelHas_isNotLost() throws IOException {
        write(0, 1, 1);
        ownership.restart(new Txid(1), false, ownership.now());
        ownership.published(write(0, 2, 2), 0);
        ownership.recordWritten(new Txid(2), ownership.now());
        write(1, 1, 2);
        client.delete(0, List.of(LtxFileName.of(new Txid(1)), LtxFileName.of(new Txid(2))));
        clock.advance(Duration.ofSeconds(10));
        ownership.ensure();
    }

    @Test
    void replicaEmptiedBetweenTwoUploads_isNoticedAlthoughTheNewestFileIsThere() throws IOException {
        ownership.restart(Txid.NONE, false, ownership.now());
        upload(1);
        clock.advance(Duration.ofSeconds(10));
        ownership.ensure();
        upload(2);
        client.delete(0, List.of(LtxFileName.of(new Txid(1)), LtxFileName.of(new Txid(2))));
        ownership.ensure();
        upload(3);
        clock.advance(Duration.ofSeconds(10));
        assertThatThrownBy(ownership::ensure)
                .isInstanceOf(ReplicaLostException.class)
                .hasMessageContaining("no longer contains 0000000000000001-0000000000000001.ltx");
    }

    @Test
    void mergedAndDeletedFile_isNoLoss() throws IOException {
        ownership.restart(Txid.NONE, false, ownership.now());
        upload(1);
        clock.advance(Duration.ofSeconds(10));
        ownership.ensure();
        write(1, 1, 1);
        client.delete(0, List.of(LtxFileName.of(new Txid(1))));
        upload(2);
        clock.advance(Duration.ofSeconds(10));
        ownership.ensure();
        ownership.ensureNewest();
        assertThat(ownership.nanosUntilCheck()).isNegative();
    }

    @Test
    void fileMissingInAFolder_isNoticedByTheNextUpload() throws IOException {
        local = true;
        ownership.restart(Txid.NONE, false, ownership.now());
        upload(1);
        ownership.ensure();
        client.delete(0, List.of(LtxFileName.of(new Txid(1))));
        assertThatThrownBy(ownership::ensure).isInstanceOf(ReplicaLostException.class);
    }

    /** The check of the newest file comes first where files are uploaded all the time. */
    @Test
    void replicaEmptiedBetweenTwoUploads_isNoticedByTheCheckOfTheNewestFile() throws IOException {
        ownership.restart(Txid.NONE, false, ownership.now());
        upload(1);
        clock.advance(Duration.ofSeconds(10));
        ownership.ensureNewest();
        client.delete(0, List.of(LtxFileName.of(new Txid(1))));
        upload(2);
        clock.advance(Duration.ofSeconds(10));
        assertThat(ownership.nanosUntilCheck()).isZero();
        assertThatThrownBy(ownership::ensureNewest)
                .isInstanceOf(ReplicaLostException.class)
                .hasMessageContaining("no longer contains 0000000000000001-0000000000000001.ltx");
    }

    @Test
    void fileInTheMiddleMissingInAFolder_isNoticedWithinSecondsAndReportedOnce() throws IOException {
        local = true;
        fileInTheMiddleMissing(Duration.ofSeconds(10));
    }

    @Test
    void fileInTheMiddleMissingInAStore_isNoticedWithinTenMinutesAndReportedOnce() throws IOException {
        fileInTheMiddleMissing(Duration.ofMinutes(10));
    }

    private void fileInTheMiddleMissing(Duration interval) throws IOException {
        write(9, 1, 1);
        ownership.restart(new Txid(1), false, ownership.now());
        long txid = writeFor(interval, 2); // the first listing
        long missing = txid - 3;
        client.delete(0, List.of(LtxFileName.of(new Txid(missing))));
        long last = txid;
        assertThatThrownBy(() -> writeFor(interval.plusSeconds(10), last))
                .isInstanceOf(ReplicaLostException.class)
                .hasMessageContaining("no file continues transaction " + new Txid(missing - 1));
        long next = newest;
        next = writeFor(interval.multipliedBy(2), next + 1); // not reported again until it was healed
        write(9, 1, next - 1);
        next = writeFor(interval.multipliedBy(2), next);
        client.delete(9, List.of(new LtxFileName(new Txid(1), new Txid(1))));
        next = writeFor(interval.multipliedBy(2), next);
        for (LtxFileInfo snapshot : files(9)) {
            client.delete(9, List.of(snapshot.name()));
        }
        long end = next;
        assertThatThrownBy(() -> writeFor(interval.plusSeconds(10), end))
                .isInstanceOf(ReplicaLostException.class)
                .hasMessageContaining("no file continues transaction " + Txid.NONE);
    }

    private long newest;

    /** Uploads a transaction every two seconds, with the checks of the upload lane. Returns the next transaction. */
    private long writeFor(Duration duration, long first) throws IOException {
        long txid = first;
        for (long seconds = 0; seconds <= duration.toSeconds(); seconds += 2) {
            ownership.ensure();
            upload(txid);
            newest = txid++;
            clock.advance(Duration.ofSeconds(2));
            if (ownership.nanosUntilCheck() == 0) {
                ownership.ensureNewest();
            }
        }
        return txid;
    }

    private List<LtxFileInfo> files(int level) throws IOException {
        List<LtxFileInfo> files = new java.util.ArrayList<>();
        client.list(level, Txid.NONE, files::add);
        return files;
    }

    private void upload(long txid) throws IOException {
        LtxFileInfo file = write(0, txid, txid);
        ownership.published(file, Replication.remoteChecksum(client, file));
        ownership.recordWritten(new Txid(txid), ownership.now());
    }

    @Test
    void otherFolderInThePlace_isNoticedAtOnce() throws IOException {
        local = true;
        ownership.restart(Txid.NONE, false, ownership.now());
        ownership.published(write(0, 1, 1), 0);
        ownership.recordWritten(new Txid(1), ownership.now());
        ownership.ensure();
        Files.move(folder.resolve("ltx"), folder.resolve("away"));
        assertThatThrownBy(ownership::ensure)
                .isInstanceOf(ReplicaLostException.class)
                .hasMessageContaining("another folder or file system is in its place");
        Files.move(folder.resolve("away"), folder.resolve("ltx"));
        ownership.ensure();
    }

    /** As where a folder is mounted again that was unmounted while this process had more transactions. */
    @Test
    void formerFolderWithLaterTransactions_isComparedAgain() throws IOException {
        local = true;
        LtxFileInfo former = null;
        for (long txid = 1; txid <= 3; txid++) {
            former = write(0, txid, txid);
            ownership.published(former, 7);
            ownership.recordWritten(new Txid(txid), ownership.now());
        }
        ownership.ensure();
        Files.move(folder.resolve("ltx"), folder.resolve("away"));
        ownership.restart(Txid.NONE, false, ownership.now());
        upload(1);
        Files.move(folder.resolve("ltx"), folder.resolve("below"));
        Files.move(folder.resolve("away"), folder.resolve("ltx"));
        assertThatThrownBy(ownership::ensure)
                .isInstanceOf(ReplicaLostException.class)
                .hasMessageContaining("another folder or file system is in its place")
                .hasMessageContaining("0000000000000003");
        ownership.restart(new Txid(3), false, ownership.now());
        assertThat(ownership.isFormer(former, 7)).isTrue();
        assertThat(ownership.isFormer(former, 8)).isFalse();
        ownership.ensure();
    }

    private LtxFileInfo write(int level, long min, long max) throws IOException {
        LtxFileName name = new LtxFileName(new Txid(min), new Txid(max));
        try (ReplicaUpload upload = client.write(level, name, clock.instant())) {
            upload.write(new byte[200]);
            return upload.publish();
        }
    }
}
