package org.litestream4j.internal.wal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class WalPageMapTest {

    @Property(tries = 200)
    void holdsTheNewestFrameOfEachPage(
            @ForAll @Size(max = 2_000) List<@IntRange(min = 1, max = 700) Integer> pgnos,
            @ForAll @IntRange(max = 800) int commit) {
        WalPageMap map = new WalPageMap();
        Map<Long, Integer> model = new HashMap<>();
        for (int frame = 0; frame < pgnos.size(); frame++) {
            // page numbers are unsigned: spread some over the sign bit
            int pgno = pgnos.get(frame) % 7 == 0 ? -pgnos.get(frame) : pgnos.get(frame);
            map.put(pgno, frame);
            model.put(Integer.toUnsignedLong(pgno), frame);
        }
        assertThat(map.size()).isEqualTo(model.size());
        model.forEach((pgno, frame) -> assertThat(map.frame(pgno)).isEqualTo(frame));
        assertThat(map.frame(701)).isEqualTo(-1);

        long limit = commit % 2 == 0 ? commit : 0xFFFF_FFFFL;
        TreeMap<Long, Integer> sorted = new TreeMap<>(model);
        long[] entries = map.sorted(limit);
        assertThat(entries.length).isEqualTo(sorted.headMap(limit, true).size());
        int i = 0;
        for (Map.Entry<Long, Integer> expected : sorted.headMap(limit, true).entrySet()) {
            assertThat(WalPageMap.pgno(entries[i])).isEqualTo(expected.getKey());
            assertThat(WalPageMap.frameOf(entries[i])).isEqualTo(expected.getValue());
            i++;
        }
    }
}
