package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreException.Reason;

/** Damage and gaps are found; where another way leads to the same state, it is taken. */
class DamagedReplicaRestoreTest extends RestoreFixture {

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
}
