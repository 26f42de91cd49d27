package org.litestream4j.internal.pages;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxPageIndex;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.restore.ModelReplica;

/** The newest place of each page, compared with a plain map. */
class LayersTest {

    private static final int PAGES = 400;

    @Test
    void everyPage_isFoundInTheNewestFileThatHasIt() throws Exception {
        long seed = 17;
        Random random = new Random(seed);
        for (int round = 0; round < 20; round++) {
            PageMap layers = PageMap.of(List.of());
            Map<Long, ReplicaFile> newest = new HashMap<>();
            for (int number = 1; number <= 40; number++) {
                int count = number == 1 ? PAGES : 1 + random.nextInt(random.nextInt(10) == 0 ? 200 : 8);
                ReplicaFile file = file(number, number == 1 ? all() : some(random, count));
                for (int entry = 0; entry < file.index().size(); entry++) {
                    newest.put(file.index().pgno(entry), file);
                }
                layers = layers.with(file);
            }
            for (long pgno = 1; pgno <= PAGES; pgno++) {
                PageLocation place = layers.find(pgno);
                assertThat(place).as("seed %s, page %s", seed, pgno).isNotNull();
                assertThat(place.file()).isSameAs(newest.get(pgno));
                assertThat(place.file().index().pgno(place.entry())).isEqualTo(pgno);
            }
            assertThat(layers.find(PAGES + 1)).isNull();
            assertThat(layers.find(0xFFFF_FFFFL)).isNull();
        }
    }

    private static List<Long> all() {
        List<Long> pgnos = new ArrayList<>();
        for (long pgno = 1; pgno <= PAGES; pgno++) {
            pgnos.add(pgno);
        }
        return pgnos;
    }

    private static List<Long> some(Random random, int count) {
        List<Long> pgnos = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            pgnos.add(1L + random.nextInt(PAGES));
        }
        return pgnos;
    }

    private static ReplicaFile file(int number, List<Long> pgnos) throws IOException {
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        pgnos.forEach(pgno -> pages.put(pgno, new byte[512]));
        Txid txid = new Txid(number);
        LtxHeader header = LtxHeader.of(512, PAGES, txid, txid, 0, new WalRange(32, 536, 1, 2));
        byte[] bytes = ModelReplica.encode(header, pages);
        LtxPageIndex index = LtxPageIndex.parse(bytes, bytes.length, header, "test");
        LtxFileInfo info = new LtxFileInfo(0, header.fileName(), bytes.length, Instant.EPOCH, true);
        return new ReplicaFile(number, info, "test", null, OptionalLong.empty(), header, index);
    }
}
